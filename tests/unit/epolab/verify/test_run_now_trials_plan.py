"""What is wrong about the limit, an agent's end in the middle of a task, and a server's lost memory."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from epolab.topology import load_topology
from epolab.verify.run_now_trials_plan import (
    CLOSED,
    RUNS,
    CutOff,
    Forgotten,
    Refusal,
    Shown,
    cut_agents,
    wrong_end,
    wrong_limit,
    wrong_memory,
)

TOPOLOGIES = Path(__file__).parents[4] / "topologies"


def test_one_agent_that_runs_tasks_at_once_is_ended_where_handler_groups_are_declared() -> None:
    assert cut_agents(load_topology(TOPOLOGIES / "conversations.yaml")) == ("tokyo/tokyo-pc",)
    assert cut_agents(load_topology(TOPOLOGIES / "quickstart.yaml")) == ()


REFUSED = Refusal(
    9, "Error 1: 9 systems are more than clienttask.runnow.system.limit = 8 in /x allows in one action", 0, 0
)


@pytest.mark.parametrize(
    "change", [{"reply": "Succeeded"}, {"entries": 1}, {"queued": 1}, {"reply": REFUSED.reply.replace("8 in", "80 in")}]
)
def test_one_system_too_many_is_refused_and_leaves_nothing(change: dict[str, Any]) -> None:
    assert wrong_limit("hq/epo", REFUSED) == []
    assert len(wrong_limit("hq/epo", replace(REFUSED, **change))) == 1


UNKNOWN = "unknown: TASK_NO_FINAL_STATUS: the agent ends before the task does"
CUT = CutOff(
    7,
    {"state": "Ended"},
    ("sent", "started", UNKNOWN),
    ("received", "started", "TASK_NO_FINAL_STATUS"),
    starts=1,
    running=Shown(2, RUNS),
    ended=Shown(3, CLOSED),
)


@pytest.mark.parametrize(
    "change",
    [
        {"row": {"state": "In Progress"}},
        {"messages": ("sent", "started")},
        {"reports": ("received", "started")},
        {"starts": 2},
        {"starts": 0},
        {"running": Shown(2, ("In Progress", "Success", "Progress", "Progress"))},
        {"ended": None},
        {"ended": Shown(2, CLOSED)},
        {"ended": Shown(3, RUNS)},
    ],
)
def test_an_agent_that_ends_says_so_once_and_who_watches_sees_it(change: dict[str, Any]) -> None:
    assert wrong_end("a/b", CUT) == []
    assert len(wrong_end("a/b", replace(CUT, **change))) == 1


FORGOTTEN = Forgotten(
    8,
    ("sent", "the service stopped: its memory is lost, 1 subtasks stay unfinished: pc"),
    "Ended",
    {"state": "In Progress", "endDate": None},
    False,
    {"state": "Ended"},
    (f"after a restart of the service: {UNKNOWN}",),
)


@pytest.mark.parametrize(
    "change",
    [
        {"messages": ("sent",)},
        {"state": "In Progress"},
        {"left": {"state": "Ended", "endDate": "now"}},
        {"watched": True},
        {"row": {"state": "In Progress"}},
        {"last_messages": (UNKNOWN,)},
    ],
)
def test_a_server_that_was_killed_remembers_nothing_and_says_so(change: dict[str, Any]) -> None:
    assert wrong_memory("hq/epo", FORGOTTEN) == []
    assert len(wrong_memory("hq/epo", replace(FORGOTTEN, **change))) == 1
