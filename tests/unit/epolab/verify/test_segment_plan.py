"""Whom a SuperAgent wake-up reaches, and what the log says of each."""

from pathlib import Path

from epolab.model.topology import Topology
from epolab.topology import load_text, load_topology
from epolab.verify.segment_plan import (
    NOTHING,
    Told,
    has_superagent,
    listeners,
    shouted_to,
    shouting,
    told,
    unreachable,
    woken,
)

QUICKSTART = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
ID = "0A1B2C3D-0000-4000-8000-00000000ABCD"


def names(nodes: tuple[object, ...]) -> list[str]:
    return [str(getattr(node, "path", node)) for node in nodes]


def test_the_segment_of_a_superagent_is_woken_and_no_other() -> None:
    reached = [node.path for node in QUICKSTART.nodes if node.has("agent") and shouted_to(QUICKSTART, node)]
    assert reached == ["tokyo/tokyo-sa", "tokyo/tokyo-pc-1", "tokyo/tokyo-pc-2", "tokyo/tokyo-pc-3"]
    assert not has_superagent(QUICKSTART, QUICKSTART.node("hq/hq-pc-1"))


def test_a_superagent_that_does_not_run_wakes_nobody() -> None:
    pc = QUICKSTART.node("tokyo/tokyo-pc-1")
    assert not shouted_to(QUICKSTART, pc, absent=["tokyo/tokyo-sa"]) and has_superagent(QUICKSTART, pc)


def test_who_hears_a_superagent() -> None:
    (superagent,) = shouting(QUICKSTART)
    assert names(listeners(QUICKSTART, superagent)) == ["tokyo/tokyo-pc-1", "tokyo/tokyo-pc-2", "tokyo/tokyo-pc-3"]
    assert names(listeners(QUICKSTART, superagent, ["tokyo/tokyo-pc-1"]))[0] == "tokyo/tokyo-pc-2"


BARRED = """
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
  branch:
    nodes:
      sa: {components: [superagent]}
      pc: {components: [agent]}
    firewall:
      default: deny
      rules:
        - allow: {from: branch, to: hq}
wan:
  - between: [hq, branch]
"""


def test_a_superagent_that_no_handler_can_call_wakes_nobody() -> None:
    topology = _loaded(BARRED)
    assert shouting(topology) == () and not shouted_to(topology, topology.node("branch/pc"))
    assert has_superagent(topology, topology.node("branch/pc"))
    assert names(unreachable(topology)) == ["branch/sa", "branch/pc"]


def _loaded(text: str) -> Topology:
    loaded = load_text(text.encode(), "barred.yaml")
    assert loaded.topology is not None, loaded.problems
    return loaded.topology


def test_the_log_is_told_by_system() -> None:
    subtasks = [{"computerName": "pc.test", "state": "Completed"}, {"computerName": "far.test", "state": "Failed"}]
    messages = [
        {"subtask": "pc.test", "message": f"pc: completed: called in after the broadcast (wake-up {ID})"},
        {"subtask": None, "message": "not done: far"},
    ]
    found = told(subtasks, messages)
    assert found["pc.test"].wakeup_id == ID and found["far.test"] == Told("Failed", "")
    assert NOTHING.wakeup_id == ""


def test_call_ins_count_by_the_wakeup_that_caused_them() -> None:
    calls = [
        {"fqdn": "pc.test", "reason": "wakeup", "wakeup_id": ID},
        {"fqdn": "pc.test", "reason": "asci", "wakeup_id": None},
        {"fqdn": "other.test", "reason": "wakeup", "wakeup_id": ID},
    ]
    assert woken(calls, "pc.test") == [ID]
