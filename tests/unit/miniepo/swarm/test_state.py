"""An agent's state in the ledger: what a state directory would hold, without the directory."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from miniepo.agent.state import Registration, Routing
from miniepo.errors import ConfigError, MessageError, SiteListError
from miniepo.protocol.messages import ClientTask, Event, Policy, PolicySet, TaskSet
from miniepo.swarm.ledger import Ledger
from miniepo.swarm.state import Alike, MemberSpool, MemberState
from tests.unit.miniepo.standins import SECOND, CountingEntropy, sitelist_text


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    (tmp_path / "SiteList.xml").write_text(sitelist_text())
    opened = Ledger(tmp_path / "swarm.db")
    yield opened
    opened.close()


def state(folder: Path, ledger: Ledger, name: str = "pc-0001", alike: Alike | None = None) -> MemberState:
    return MemberState(name, folder, folder / "SiteList.xml", ledger, alike or Alike(), CountingEntropy())


def test_everything_is_there_again_in_the_next_life(tmp_path: Path, ledger: Ledger) -> None:
    first = state(tmp_path, ledger)
    first.register("GUID-9", enrolled=True)
    first.policies = PolicySet(version="p", policies=(Policy(category="agent", name="a", settings={"x": 1}),))
    first.tasks = TaskSet(version="t", tasks=(ClientTask(id="1", name="u", type="update"),))
    first.sent_properties = {"a": "1"}
    first.routing = Routing(last_handler="epo")
    first.store_sitelist(sitelist_text(SECOND), "v2")
    again = state(tmp_path, ledger)
    assert again.registration == Registration("GUID-9", enrolled=True)
    assert bytes(again.key) == bytes(first.key)
    assert (again.policies, again.tasks) == (first.policies, first.tasks)
    assert (again.sent_properties, again.routing) == (first.sent_properties, first.routing)
    assert again.sitelist().handlers == (SECOND,) and again.sitelist_version == "v2"
    assert not [path for path in tmp_path.iterdir() if not path.name.startswith(("swarm.db", "SiteList.xml"))]


def test_agents_do_not_share_what_is_theirs(tmp_path: Path, ledger: Ledger) -> None:
    one, two = state(tmp_path, ledger), state(tmp_path, ledger, "pc-0002")
    assert bytes(one.key) != bytes(two.key)
    one.sent_properties = {"a": "1"}
    assert two.sent_properties == {}


def test_a_new_identity_has_a_new_key_and_has_reported_nothing(tmp_path: Path, ledger: Ledger) -> None:
    one = state(tmp_path, ledger)
    before = bytes(one.key)
    one.sent_properties = {"a": "1"}
    one.register("GUID-9", enrolled=True)
    one.forget_identity()
    assert not one.registration.enrolled and one.registration.guid != "GUID-9"
    assert bytes(one.key) != before and one.sent_properties == {}
    assert bytes(state(tmp_path, ledger).key) == bytes(one.key)
    assert state(tmp_path, ledger).registration == one.registration and one.next_sequence() == 1


def test_the_servers_list_replaces_the_installed_one_unless_it_is_none(tmp_path: Path, ledger: Ledger) -> None:
    one = state(tmp_path, ledger)
    assert [site.name for site in one.sitelist().handlers] == ["ePO_EPO", "ePO_AH"]
    with pytest.raises(SiteListError):
        one.store_sitelist("<no", "v2")
    assert len(one.sitelist().handlers) == 2 and one.sitelist_version == ""
    (tmp_path / "SiteList.xml").write_bytes(b"\xff\xff")
    with pytest.raises(SiteListError):
        one.sitelist()
    (tmp_path / "SiteList.xml").unlink()
    with pytest.raises(ConfigError):
        one.sitelist()


def test_what_is_the_same_for_all_is_held_once() -> None:
    alike = Alike()
    first, second = bytes([1, 2, 3]), bytes([1, 2, 3])
    assert first is not second
    assert alike.hold("policies.json", first) is alike.hold("policies.json", second)
    assert alike.hold("properties.json", second) is second


def event(key: str, severity: int = 5) -> Event:
    return Event(key=key, kind="threat", event_id=1092, severity=severity, detected=1.0)


def test_events_wait_until_they_are_acknowledged_in_every_life(ledger: Ledger) -> None:
    spool = MemberSpool("pc-0001", ledger)
    for key, severity in (("k1", 5), ("k2", 1), ("k3", 2)):
        spool.add(event(key, severity))
    assert [each.key for each in spool.oldest(2)] == ["k1", "k2"]
    assert [each.key for each in spool.urgent(5, 2)] == ["k2", "k3"] and len(spool.urgent(1, 2)) == 1
    spool.forget(["k1", "never"])
    again = MemberSpool("pc-0001", ledger)
    assert [each.key for each in again.oldest(9)] == ["k2", "k3"] and len(again) == len(spool) == 2
    assert len(MemberSpool("pc-0002", ledger)) == 0


def test_an_event_that_no_handler_would_be_sent_is_refused(ledger: Ledger) -> None:
    spool = MemberSpool("pc-0001", ledger)
    with pytest.raises(MessageError, match="an event of"):
        spool.add(msgspec.structs.replace(event("k1"), text="x" * 65536))
    assert len(spool) == len(MemberSpool("pc-0001", ledger)) == 0


def test_a_folder_of_an_agents_values_is_in_the_file_at_once(tmp_path: Path, ledger: Ledger) -> None:
    folder = state(tmp_path, ledger).folder("datachannel/outbox")
    folder.put("b", b"2")
    folder.put("a", b"1")
    folder.rename("b", "c")
    folder.remove("a")
    folder.remove("a")
    with sqlite3.connect(tmp_path / "swarm.db") as other:
        rows = other.execute("SELECT name, body FROM value WHERE name LIKE 'datachannel/%'").fetchall()
    assert rows == [("datachannel/outbox/c", b"2")]
    again = state(tmp_path, ledger)
    assert again.folder("datachannel/outbox").names() == ["c"] and folder.read("c") == b"2"
    assert state(tmp_path, ledger, "pc-0002").folder("datachannel/outbox").names() == []
    with pytest.raises(FileNotFoundError):
        again.folder("").read("run-now.json")
