"""Which labs can be examined, and what is seen of nodes that do not run."""

from pathlib import Path

import pytest

from epolab.errors import NotReadyError, WorldError
from epolab.hands.files import LabFolder
from epolab.hands.journal import Journal, Undo
from epolab.steps.labs import LabRecord, Member
from epolab.steps.verify import absent_nodes, replayed, require_fabric
from epolab.topology import load_text
from epolab.verify.witness import Witness

MINIMAL = b"""epolab: 1
sites: {hq: {nodes: {epo: {components: [server, sql]}, pc: {components: agent, count: 3}}}}
"""
TOPOLOGY = load_text(MINIMAL, "small.yaml").topology


def member(path: str | None, *, running: bool = True) -> Member:
    name = "lab." + (path or "fabric").replace("/", ".")
    return Member(name, "1", path, "container", (), running)


def record(*members: Member) -> LabRecord:
    return LabRecord("lab", "me", None, None, "small", members)


class Engine:
    """Containers in the states that Docker calls so."""

    def __init__(self, **states: dict[str, object]) -> None:
        self._states = {f"lab.hq.{name.replace('_', '-')}": {"State": state} for name, state in states.items()}

    def inspect(self, name: str) -> dict[str, object] | None:
        return self._states.get(name)


@pytest.mark.parametrize("lab", [None, record(member("hq/epo")), record(member(None, running=False))])
def test_a_lab_without_a_fabric_that_runs_cannot_be_examined(lab: LabRecord | None) -> None:
    with pytest.raises(NotReadyError, match="the fabric of lab does not run") as caught:
        require_fabric(lab, "lab", TOPOLOGY)
    assert caught.value.hint == "epolab up small.yaml --name lab"
    assert caught.value.exit_code == 4


def test_the_hint_can_be_typed() -> None:
    topology = load_text(MINIMAL, "my labs/small.yaml").topology
    with pytest.raises(NotReadyError) as caught:
        require_fabric(None, "lab", topology)
    assert caught.value.hint == "epolab up 'my labs/small.yaml' --name lab"


def test_a_lab_that_lost_its_nodes_can_be_examined() -> None:
    lab = record(member(None))
    assert require_fabric(lab, "lab", TOPOLOGY) is lab
    seen = absent_nodes(Engine(), TOPOLOGY, lab)
    assert seen == dict.fromkeys((node.path for node in TOPOLOGY.nodes), "it has no container")


def test_what_is_seen_of_a_node_that_does_not_run() -> None:
    down = [member(f"hq/pc-{number}", running=False) for number in (1, 2, 3)]
    lab = record(member(None), member("hq/router"), member("hq/epo"), *down)
    engine = Engine(pc_1={"Status": "exited", "ExitCode": 137}, pc_2={"Status": "paused", "ExitCode": 0})
    assert absent_nodes(engine, TOPOLOGY, lab) == {
        "hq/pc-1": "its container lab.hq.pc-1 is exited with code 137",
        "hq/pc-2": "its container lab.hq.pc-2 is paused",
        "hq/pc-3": "its container lab.hq.pc-3 is gone",
    }


LONG_AGO = "2020-01-01T00:00:00.123456789Z"
PC, SERVER = Undo("hq/pc-1", "true", "agent stopped"), Undo("hq/epo", "true", "policy", keepers=("hq/epo",))


class Lab:
    """The server and two agents; one of them, and whoever else is named, does not run."""

    def __init__(self, *stopped: str) -> None:
        self.stopped = {f"lab.hq.{name}" for name in ("pc-1", *stopped)}

    def inspect(self, name: str) -> dict[str, object]:
        return {"Created": LONG_AGO, "State": {"Running": name not in self.stopped, "StartedAt": LONG_AGO}}


@pytest.fixture(name="notes")
def notes_fixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Undo]:
    """What is put back of the notes that a killed verification left."""
    monkeypatch.setenv("EPOLAB_HOME", str(tmp_path))
    done: list[Undo] = []
    monkeypatch.setattr(Witness, "put_back", lambda _, undo: done.append(undo))
    monkeypatch.setattr(Witness, "api", lambda *_, **__: 0.0)
    journal = Journal(LabFolder.of("lab").make().path / "journal", done.append)
    for undo in (PC, SERVER):
        journal._note(undo)
    return done


def refuse(text: str) -> None:
    raise AssertionError(text)


def test_what_waits_for_an_absent_node_is_told_of_it_and_the_rest_put_back(notes: list[Undo]) -> None:
    absent = {"hq/pc-1": "it is gone", "hq/pc-3": "it is gone too"}
    assert replayed(Lab(), "lab", TOPOLOGY, absent, refuse) == {
        "hq/pc-1": "it is gone (a verification was killed, and what it disturbed waits for this node: agent stopped)",
        "hq/pc-3": "it is gone too",
    }
    assert notes == [SERVER]


def test_what_waits_for_a_node_that_was_not_seen_to_be_absent_is_refused(notes: list[Undo]) -> None:
    with pytest.raises(NotReadyError, match="hq/epo does not run"):
        replayed(Lab("epo"), "lab", TOPOLOGY, {"hq/pc-1": "it is gone"}, refuse)
    assert notes == []


def test_another_failure_is_not_taken_for_an_absent_node(notes: list[Undo], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Witness, undo: Undo) -> None:
        raise WorldError(f"{undo.reason}: refused")

    monkeypatch.setattr(Witness, "put_back", fail)
    with pytest.raises(WorldError, match="policy: refused"):
        replayed(Lab(), "lab", TOPOLOGY, {"hq/pc-1": "it is gone"}, refuse)
