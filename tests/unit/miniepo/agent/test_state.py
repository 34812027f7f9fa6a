"""What an agent keeps on disk."""

from dataclasses import replace
from pathlib import Path

import pytest

from miniepo.agent.state import Registration, Routing, StateDirectory
from miniepo.errors import ConfigError, SiteListError
from miniepo.protocol.discovery import Relay
from miniepo.protocol.messages import ClientTask, PolicySet, TaskSet
from tests.unit.miniepo.standins import SECOND, CountingEntropy, sitelist_text, state_directory


def again(folder: Path) -> StateDirectory:
    return StateDirectory(folder / "state", folder / "SiteList.xml", CountingEntropy())


def test_key_and_guid_are_made_once_and_kept(tmp_path: Path) -> None:
    first = state_directory(tmp_path)
    assert first.registration == Registration("GUID-1", enrolled=False)
    first.register("GUID-9", enrolled=True)
    second = again(tmp_path)
    assert second.registration == Registration("GUID-9", enrolled=True)
    assert bytes(second.key) == bytes(first.key)
    assert (tmp_path / "state/agent.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "state/guid").read_text() == "GUID-9\n"


def test_a_new_identity_has_a_new_key_and_has_reported_nothing(tmp_path: Path) -> None:
    state = state_directory(tmp_path)
    before = bytes(state.key)
    state.sent_properties = {"a": "1"}
    state.register("GUID-9", enrolled=True)
    state.forget_identity()
    assert not state.registration.enrolled and state.registration.guid != "GUID-9"
    assert bytes(state.key) != before and state.sent_properties == {}


class Killed(BaseException):
    """The process is gone."""


class Mortal(StateDirectory):
    """Is killed before it writes once more than it may."""

    writes = 100

    def _put(self, name: str, data: bytes, mode: int = 0o600) -> Path:
        if not self.writes:
            raise Killed
        self.writes -= 1
        return super()._put(name, data, mode)


@pytest.mark.parametrize("writes", range(7))
def test_a_kill_at_any_moment_leaves_the_old_identity_or_the_new_one(tmp_path: Path, writes: int) -> None:
    state_directory(tmp_path).register("GUID-OLD", enrolled=True)
    state = Mortal(tmp_path / "state", tmp_path / "SiteList.xml", CountingEntropy())
    old, state.sent_properties, sequence = bytes(state.key), {"a": "1"}, state.next_sequence()
    state.writes = writes
    try:
        state.forget_identity()
    except Killed:
        assert writes < 6
    else:
        assert writes >= 6
    later = again(tmp_path)
    if writes == 0:
        assert later.registration == Registration("GUID-OLD", enrolled=True) and bytes(later.key) == old
        assert (later.sent_properties, later.next_sequence()) == ({"a": "1"}, sequence + 1)
    else:
        assert later.registration == Registration("GUID-1", enrolled=False) and bytes(later.key) != old
        assert (later.sent_properties, later.next_sequence()) == ({}, 1)
        assert (tmp_path / "state/guid").read_text() == "GUID-1\n"
    assert bytes(again(tmp_path).key) == bytes(later.key) and again(tmp_path).registration == later.registration


def test_custom_properties_are_kept(tmp_path: Path) -> None:
    state = state_directory(tmp_path)
    assert state.custom_properties == {}
    state.custom_properties = {"UserProperty1": "building 7"}
    assert again(tmp_path).custom_properties == {"UserProperty1": "building 7"}


def test_communications_are_counted_across_lives_and_from_the_start_under_a_new_guid(tmp_path: Path) -> None:
    state = state_directory(tmp_path)
    assert [state.next_sequence(), state.next_sequence(), again(tmp_path).next_sequence()] == [1, 2, 3]
    state.forget_identity()
    assert state.next_sequence() == 1


def test_the_servers_list_replaces_the_installed_one(tmp_path: Path) -> None:
    state = state_directory(tmp_path)
    assert (state.sitelist_version, len(state.sitelist().handlers)) == ("", 2)
    state.store_sitelist(sitelist_text(SECOND), "v2")
    assert [site.name for site in again(tmp_path).sitelist().sites] == ["ePO_AH"]
    assert again(tmp_path).sitelist_version == "v2"
    with pytest.raises(SiteListError):
        state.store_sitelist("<broken", "v3")
    assert state.sitelist_version == "v2"


def test_a_list_in_another_encoding_is_read_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    state = state_directory(tmp_path)
    abroad = sitelist_text(replace(SECOND, name="ePO_Zürich")).replace("UTF-8", "ISO-8859-1")
    (tmp_path / "SiteList.xml").write_bytes(abroad.encode("latin-1"))
    assert [site.name for site in state.sitelist().sites] == ["ePO_Zürich"]
    state.store_sitelist(abroad, "v2")
    assert [site.name for site in again(tmp_path).sitelist().sites] == ["ePO_Zürich"]
    (tmp_path / "state/SiteList.xml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SiteListError, match="no text in utf-16"):
        state.sitelist()


def test_without_any_list_the_missing_file_is_named(tmp_path: Path) -> None:
    state = state_directory(tmp_path)
    (tmp_path / "SiteList.xml").unlink()
    with pytest.raises(ConfigError, match=r"SiteList\.xml"):
        state.sitelist()


def test_everything_else_survives(tmp_path: Path) -> None:
    state = state_directory(tmp_path)
    tasks = TaskSet(version="t", tasks=(ClientTask(id="1", name="Update", type="update"),))
    routing = Routing((Relay("G1", "relay-1", 8083, ("10.4.0.1",)),), ("ePO_EPO",), "ePO_AH")
    state.tasks, state.routing = tasks, routing
    state.policies = PolicySet(version="p", policies=())
    state.installed, state.nonces = {"DAT": "1"}, {"n": 5.0}
    later = again(tmp_path)
    assert (later.tasks, later.routing, later.policies.version) == (tasks, routing, "p")
    assert (later.installed, later.nonces) == ({"DAT": "1"}, {"n": 5.0})


def test_relays_that_cannot_be_tried_are_forgotten(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = state_directory(tmp_path)
    good = Relay("G1", "relay-1", 8083, ("10.4.0.1",))
    bad = (Relay("G2", "port", 99999, ("10.4.0.2",)), Relay("G3", "address", 8083, ("nowhere",)))
    state.routing = Routing((bad[0], good, bad[1]), ("ePO_EPO",), "ePO_AH")
    with caplog.at_level("WARNING", "agent.state"):
        assert again(tmp_path).routing == Routing((good,), ("ePO_EPO",), "ePO_AH")
    assert [record.getMessage() for record in caplog.records] == [
        "a relay is forgotten: 99999 is no port",
        "a relay is forgotten: 'nowhere' is no address",
    ]
    caplog.clear()
    assert again(tmp_path).routing.relays == (good,) and not caplog.records, "they are gone for good"


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    state = state_directory(tmp_path)
    (tmp_path / "state/policies.json").write_text("{")
    with pytest.raises(ConfigError, match=r"policies\.json"):
        _ = state.policies
