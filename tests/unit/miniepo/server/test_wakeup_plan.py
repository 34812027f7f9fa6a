"""Who is called for a wake-up, and by which handler."""

from __future__ import annotations

import pytest

from miniepo.server.wakeup_plan import Choice, choose_caller, plan_broadcast, plan_direct, segment_of
from miniepo.store.systems import System
from miniepo.store.work import LISTENER, SUPERAGENT, WAKEUP
from tests.unit.miniepo.systems import system

TOKYO, INDIA = "10.2.0.0/24", "10.3.0.0/24"


def agent(id: int, address: str, superagent: bool = False, **values: object) -> System:
    properties = {"IPAddress": address, "IPSubnetMask": "255.255.255.0", "SuperAgent.Enabled": str(int(superagent))}
    return system(id=id, name=f"s{id}", guid=f"G-{id}", properties=properties, **values)


SA_1, SA_2 = agent(1, "10.2.0.10", True), agent(2, "10.2.0.11", True)
PC_3, PC_4 = agent(3, "10.2.0.12"), agent(4, "10.2.0.13")
FAR = agent(5, "10.3.0.10")
BARE = system(id=6, name="s6", guid=None)
NOWHERE = system(id=8, name="s8", guid="G-8", properties={})


def test_each_agent_is_called_by_itself() -> None:
    plan = plan_direct([PC_3, SA_1, BARE])
    assert [(job.system, job.kind) for job in plan.jobs] == [(PC_3, WAKEUP), (SA_1, WAKEUP)]
    assert [(each.name, each.reason) for each in plan.unwoken] == [("s6", "the system has no agent")]


def test_superagents_are_called_for_the_segments_of_who_is_named() -> None:
    plan = plan_broadcast([PC_3], [SA_1, PC_3, PC_4, FAR])
    assert [(job.system, job.kind, job.segment) for job in plan.jobs] == [
        (SA_1, SUPERAGENT, TOKYO),
        (PC_3, LISTENER, TOKYO),
    ]
    assert plan.unwoken == ()


def test_a_superagent_that_is_named_is_called_and_awaited_once() -> None:
    plan = plan_broadcast([SA_1, PC_3, PC_4], [SA_1, PC_3, PC_4, FAR])
    assert [job.kind for job in plan.jobs] == [SUPERAGENT, LISTENER, LISTENER]
    assert [job.system for job in plan.jobs] == [SA_1, PC_3, PC_4]


def test_every_superagent_of_a_segment_is_called() -> None:
    plan = plan_broadcast([PC_3], [SA_1, SA_2, PC_3])
    assert [job.system for job in plan.jobs if job.kind == SUPERAGENT] == [SA_1, SA_2]


def test_segments_without_a_superagent_are_not_woken() -> None:
    plan = plan_broadcast([FAR, NOWHERE, BARE], [SA_1, PC_3, FAR, NOWHERE, BARE])
    assert plan.jobs == ()
    assert [each.reason for each in plan.unwoken] == [
        f"there is no SuperAgent in its segment {INDIA}",
        "there is no SuperAgent in its segment (unknown)",
        "the system has no agent",
    ]


@pytest.mark.parametrize(
    ("address", "mask", "expected"),
    [
        ("10.2.0.7", "255.255.255.0", TOKYO),
        ("10.2.0.7", "255.255.0.0", "10.2.0.0/16"),
        ("", "", ""),
        ("x", "y", ""),
        ("10.2.0.7", "", ""),
    ],
)
def test_a_segment_is_what_an_agent_reports(address: str, mask: str, expected: str) -> None:
    assert segment_of(system(properties={"IPAddress": address, "IPSubnetMask": mask})) == expected


@pytest.mark.parametrize(
    ("last", "use_all", "expected"),
    [
        (11, False, Choice(11, "alive")),
        (11, True, Choice(11, "grace")),
        (13, False, Choice(None)),
        (None, True, Choice(None)),
    ],
    ids=["the last one alone", "the last one preferred", "the last one is offline", "none known"],
)
def test_the_last_handler_calls_and_how_strictly(last: int | None, use_all: bool, expected: Choice) -> None:
    assert choose_caller(system(last_handler_id=last), {11, 12}, use_all, False, None) == expected


def test_an_old_agent_is_called_by_its_first_handler_or_not_at_all() -> None:
    old = system(last_handler_id=12)
    assert choose_caller(old, {11, 12}, True, True, 11) == Choice(11, "only")
    assert choose_caller(old, {12}, True, True, None) == Choice(None), "whoever asks will be refused, and tell why"
