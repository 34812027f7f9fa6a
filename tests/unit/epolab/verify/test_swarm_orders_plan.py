"""What is wrong about agents of a swarm that were woken, and that ran a task now."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.run_now_plan import Report
from epolab.verify.segment_plan import Told
from epolab.verify.swarm_orders_plan import (
    MemberRun,
    SwarmWoken,
    start_limit_seconds,
    wrong_calls_in_vain,
    wrong_runs,
    wrong_wakeup,
)

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "conversations.yaml")
NODE = TOPOLOGY.node("dmz/crowd")
NAMES = facts.swarm_members(NODE)
LOG = {
    name: Told("Completed", f"ah-1 woke x at {NODE.ipv4}:8081 (wake-up {number:036X})")
    for number, name in enumerate(NAMES)
}
CALLS = tuple((name, f"{number:036X}", 100.0 + number * 0.4) for number, name in enumerate(NAMES))
WOKEN = SwarmWoken(NAMES, LOG, 100.0, CALLS)


def test_twenty_agents_that_call_in_at_moments_of_their_own_are_as_they_should_be() -> None:
    assert len(NAMES) == 20
    assert wrong_wakeup(NODE, 8081, WOKEN) == []


@pytest.mark.parametrize(
    ("change", "expected", "observed"),
    [
        (
            {"log": {**LOG, NAMES[3]: Told("Failed", "no")}},
            "each of its agents is woken",
            "crowd-0004.dmz.test: Failed",
        ),
        ({"log": {}}, "each of its agents is woken", "and 17 more"),
        ({"calls": CALLS[1:]}, "calls in once", "crowd-0001.dmz.test called in 0 times"),
        ({"calls": (*CALLS, CALLS[0])}, "calls in once", "called in 2 times"),
        ({"calls": tuple((n, i, 100.0 + k * 0.1) for k, (n, i, _) in enumerate(CALLS))}, "moments of", "within 1.9 s"),
        ({"calls": (*CALLS[1:], (*CALLS[0][:2], 190.0))}, "moments of", "the last call-in came 90.0 s"),
    ],
)
def test_every_part_counts(change: dict[str, Any], expected: str, observed: str) -> None:
    broken = wrong_wakeup(NODE, 8081, replace(WOKEN, **change))
    assert any(expected in wanted and observed in told for wanted, told in broken), broken


def test_few_agents_may_draw_the_same_moment() -> None:
    few = SwarmWoken(NAMES[:3], LOG, 100.0, tuple((n, i, 101.0) for n, i, _ in CALLS[:3]))
    assert wrong_wakeup(NODE, 8081, few) == []


REASON = "could not wake x (it last called in through relay r; it will be reached at its own ASCI)"
IN_VAIN = {name: Told("Failed", f"{REASON} (wake-up {number:036X})") for number, name in enumerate(NAMES)}
UNWOKEN = SwarmWoken(NAMES, IN_VAIN, 100.0, ())


def test_agents_that_nobody_can_call_are_not_woken_and_the_log_says_why() -> None:
    assert wrong_calls_in_vain(NODE, UNWOKEN) == []
    assert wrong_calls_in_vain(NODE, replace(UNWOKEN, calls=((NAMES[0], "another", 101.0),))) == []


@pytest.mark.parametrize(
    ("change", "expected", "observed"),
    [
        ({"log": {**IN_VAIN, NAMES[3]: LOG[NAMES[3]]}}, "is logged as Failed", "crowd-0004.dmz.test: Completed"),
        ({"log": {**IN_VAIN, NAMES[3]: Told("Failed", "no")}}, "with the reason: it will be reached", "Failed: no"),
        ({"log": {}}, "is logged as Failed", "and 17 more"),
        ({"calls": CALLS[:1]}, "no wake-up gets to its agents", "crowd-0001.dmz.test was woken"),
    ],
)
def test_every_part_of_a_wakeup_in_vain_counts(change: dict[str, Any], expected: str, observed: str) -> None:
    broken = wrong_calls_in_vain(NODE, replace(UNWOKEN, **change))
    assert any(expected in wanted and observed in told for wanted, told in broken), broken


GREEN = {"send": "Success", "start": "Success", "progress": "Success", "state": "Completed"}
REPORTS = (Report("received", 0, 100.1), Report("started", 0, 100.2), Report("succeeded", 100, 100.4))
RUN = MemberRun("crowd-0001", GREEN, REPORTS, 100.0)


def test_a_good_run_is_not_wrong() -> None:
    assert wrong_runs("dmz/crowd", [RUN], 1) == []
    assert start_limit_seconds(20) < 30.0, "an agent of the swarm would have called in by itself meanwhile"


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], "has a subtask"),
        ([replace(RUN, subtask=GREEN | {"start": "Failure"})], "of each agent succeed"),
        ([replace(RUN, reports=REPORTS[:2])], "reports received, started and succeeded once"),
        ([replace(RUN, reports=(*REPORTS, REPORTS[1]))], "reports received, started and succeeded once"),
        ([replace(RUN, asked=50.0)], "starts on each agent within"),
        ([replace(RUN, reports=REPORTS[:1])], "starts on each agent within"),
    ],
)
def test_every_part_of_a_run_counts(runs: list[MemberRun], expected: str) -> None:
    assert any(expected in wanted for wanted, _ in wrong_runs("dmz/crowd", runs, 1))


def test_who_waits_for_a_call_in_starts_after_it_and_not_before() -> None:
    late = replace(RUN, asked=RUN.asked - 10.0, called_in=100.0)
    assert wrong_runs("dmz/crowd", [late], 1) != []
    assert wrong_runs("dmz/crowd", [late], 1, 10.0) == []
    for early in (None, 100.3):
        [(wanted, told)] = wrong_runs("dmz/crowd", [replace(late, called_in=early)], 1, 10.0)
        assert "starts on no agent before its call-in" in wanted and "crowd-0001" in told
