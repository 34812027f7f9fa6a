"""What is right and what is wrong about a conversation."""

from pathlib import Path
from typing import Any

import pytest

from epolab.topology import load_topology
from epolab.verify.talks import (
    Talks,
    arrived,
    due_enforcement,
    due_window,
    event_troubles,
    interval_troubles,
    last_starts,
    list_troubles,
    names_sent,
    priority_of,
    property_troubles,
    session_troubles,
    version_of,
)

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "conversations.yaml")
OLD, NEW = "tokyo/tokyo-pc", "lyon/lyon-laptop"
RIGHT: dict[str, Any] = {
    "error": "",
    "session": ["PROPS VERSION", "REQUEST PROPS", "INC PROPS (FreeMemory)", "POLICY (nothing)"],
    "starts": ["2026-11-23T12:00:00.000Z INFO agent.caller first call in 0.300 s, drawn from the first 0.833 s"],
    "came": "2026-11-23T12:00:00.301Z INFO agent.caller first call begins",
    "upload": ["EVENTS (1)", "EVENTS ACCEPTED (1)"],
    "kept": 1,
    "attempt": 0,
    "later": ["PROPS VERSION", "REQUEST PROPS", "INC PROPS (nothing)", "POLICY (nothing)", "EVENTS (1)"],
    "left": 0,
    "asci_seconds": 5.0,
    "enforcement_seconds": 1.0,
}
BEGINS = " INFO agent.caller first call begins"
IN_TIME = {"urgent 0": 10.0, "ordinary 0": 11.0}


def talks(path: str = OLD, events: dict[str, float] | None = None, **said: object) -> Talks:
    held = Talks("marker", {path: {**RIGHT, **said}})
    held.events = {path: IN_TIME if events is None else events}
    return held


def test_a_right_conversation_has_no_troubles() -> None:
    held = talks()
    assert session_troubles(held, OLD) == property_troubles(held, OLD) == []
    assert event_troubles(TOPOLOGY, held, OLD) == interval_troubles(TOPOLOGY, held, OLD) == []


def test_an_agent_that_could_not_is_told_everywhere() -> None:
    held = talks(error="no agent")
    for told in (
        list_troubles(TOPOLOGY, held, OLD),
        session_troubles(held, OLD),
        property_troubles(held, OLD),
        event_troubles(TOPOLOGY, held, OLD),
        interval_troubles(TOPOLOGY, held, OLD),
    ):
        assert [observed for _, observed in told] == [f"{OLD}: no agent"]


def test_an_agent_without_a_list_is_told() -> None:
    ((_, observed),) = list_troubles(TOPOLOGY, talks(list=""), OLD)
    assert "not XML" in observed


@pytest.mark.parametrize(
    "session", [[], ["PROPS VERSION", "REQUEST PROPS", "PROPS (31)", "POLICY (nothing)"], RIGHT["session"][::-1]]
)
def test_another_order_is_told(session: list[str]) -> None:
    ((wanted, _),) = session_troubles(talks(session=session), OLD)
    assert wanted == f"{OLD}: its session goes PROPS VERSION, REQUEST PROPS, INC PROPS, POLICY"


def test_properties_that_last_are_not_sent_again() -> None:
    again = ["PROPS VERSION", "REQUEST PROPS", "INC PROPS (FreeMemory, OSType)", "POLICY (nothing)"]
    assert property_troubles(talks(later=again), OLD) == [
        (f"{OLD}: sends changed properties only", f"{OLD}: it sent OSType again")
    ]


def test_a_package_of_all_properties_carries_all_that_last() -> None:
    assert "ComputerName" in names_sent(["PROPS (31)"])
    assert names_sent(["INC PROPS (a, b)", "POLICY (tasks)"]) == {"a", "b"}


@pytest.mark.parametrize(
    ("said", "events", "words"),
    [
        ({"upload": RIGHT["later"], "kept": 0}, IN_TIME, "and kept 0 events"),
        ({"upload": ["EVENTS (2)", "EVENTS ACCEPTED (2)"], "kept": 0}, IN_TIME, "it said EVENTS (2)"),
        ({"left": 1}, IN_TIME, "it kept 1"),
        ({}, {"ordinary 0": 11.0}, "it has not that of priority"),
        ({}, {"urgent 0": 11.0}, "it has not the ordinary one"),
        ({}, {"urgent 0": 11.0, "ordinary 0": 10.0}, "the ordinary one did"),
        ({"attempt": 1}, IN_TIME, "it has not that of priority"),
    ],
)
def test_events_that_go_otherwise_are_told(said: dict[str, Any], events: dict[str, float], words: str) -> None:
    told = event_troubles(TOPOLOGY, talks(events=events, **said), OLD)
    assert [observed for _, observed in told if words in observed], told


def test_the_priority_is_the_policys() -> None:
    assert priority_of(TOPOLOGY, TOPOLOGY.node(OLD)) == 3


def test_events_are_sorted_by_who_raised_them() -> None:
    rows = [
        {"text": f"marker {OLD} urgent 0", "received": 5},
        {"text": f"other {OLD} urgent 0", "received": 6},
        {"text": "marker nobody urgent 0", "received": 7},
        {"text": "blocked", "received": 8},
    ]
    assert arrived(rows, "marker", [OLD, NEW]) == {OLD: {"urgent 0": 5.0}, NEW: {}}


def test_intervals_follow_version_and_pace() -> None:
    old, new = TOPOLOGY.node(OLD), TOPOLOGY.node(NEW)
    assert (version_of(old), version_of(new)) == ((4, 6, 0), (5, 7, 0))
    assert (due_window(old), due_window(new)) == (pytest.approx(600 / 720), pytest.approx(45 / 720))
    assert (due_enforcement(old), due_enforcement(new)) == (1.0, 5.0)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"enforcement_seconds": 300.0}, "every 300 s"),
        ({"starts": []}, "its log says nothing"),
        ({"starts": [RIGHT["starts"][0].replace("0.833", "0.008").replace("0.300", "0.003")]}, "0.008"),
        ({"starts": [RIGHT["starts"][0].replace("0.833", "0.299")]}, "0.300"),
    ],
)
def test_other_intervals_are_told(said: dict[str, Any], words: str) -> None:
    wanted, observed = interval_troubles(TOPOLOGY, talks(**said), OLD)[0]
    assert words in observed and "4.6.0" in wanted


def test_a_first_call_that_does_not_wait_is_told() -> None:
    ((wanted, observed),) = interval_troubles(TOPOLOGY, talks(came=RIGHT["starts"][0].split()[0] + BEGINS), OLD)
    assert wanted == f"{OLD}: makes its first call 0.300 s after its start, as it has drawn"
    assert observed == f"{OLD}: it did after 0.000 s"


def test_agents_that_all_draw_the_same_are_told() -> None:
    held = talks()
    held.said = {f"{OLD}-{number}": held.said[OLD] for number in range(4)} | held.said
    ((wanted, observed),) = interval_troubles(TOPOLOGY, held, OLD)
    assert "the other agents draw" in wanted and "0.300 s of 0.833 s" in observed
    held.said["broken"] = {"error": "no agent"}
    assert len(last_starts(held)) == 5
