"""Which labs can be examined, and what is seen of nodes that do not run."""

import pytest

from epolab.errors import NotReadyError
from epolab.steps.labs import LabRecord, Member
from epolab.steps.verify import absent_nodes, require_fabric
from epolab.topology import load_text

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
