"""When a task should start on which agent, and what counts as broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from epolab.topology import load_topology
from epolab.verify.run_now_plan import (
    Report,
    Run,
    Runs,
    expected_way,
    wrong_count,
    wrong_entry,
    wrong_pace,
    wrong_refusal,
    wrong_reports,
    wrong_segments,
    wrong_start,
    wrong_view,
)

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
CONVERSATIONS = load_topology(TOPOLOGIES / "conversations.yaml")
ROW: dict[str, Any] = {
    "send": "Success",
    "start": "Success",
    "progress": "Success",
    "state": "Completed",
    "percent": 100,
}
RED = {"state": "Failed", "send": "Failure", "start": "Failure", "progress": "Failure"}
REPORTS = tuple(
    Report(status, percent, 100.0 + number / 10)
    for number, (status, percent) in enumerate(
        [("received", 0), ("started", 0), ("progress", 50), ("succeeded", 100)], 1
    )
)
GOOD = Run(log_id=7, asked=100.0, subtask=ROW, messages=("sent",), reports=REPORTS, callins=(98.0, 103.0), ran=1)


@pytest.mark.parametrize(
    ("path", "way"),
    [
        ("hq/hq-pc", "refused"),
        ("tokyo/tokyo-pc", "at once"),
        ("tokyo/tokyo-sa", "at once"),
        ("lyon/lyon-pc", "after a call-in"),
        ("india/india-relay-1", "at once"),
        ("india/india-pc", "after a call-in"),
    ],
)
def test_who_can_be_called_starts_at_once(path: str, way: str) -> None:
    assert expected_way(CONVERSATIONS, CONVERSATIONS.node(path)) == way


def test_a_good_run_is_not_wrong() -> None:
    assert wrong_segments("a/b", GOOD) == wrong_reports("a/b", GOOD) == wrong_count("a/b", [GOOD]) == []
    assert wrong_start("a/b", "at once", Runs([GOOD])) == []


@pytest.mark.parametrize(
    "change",
    [{"send": "Failure"}, {"start": "Progress"}, {"progress": "Failure"}, {"state": "Failed"}, {"percent": 90}],
)
def test_every_part_of_the_subtask_counts(change: dict[str, Any]) -> None:
    assert len(wrong_segments("a/b", replace(GOOD, subtask=ROW | change))) == 1
    assert wrong_segments("a/b", replace(GOOD, subtask=None))[0][1] == "a/b: it has no subtask"


@pytest.mark.parametrize("left_out", [0, 1, 2, 3])
def test_every_step_is_reported_once(left_out: int) -> None:
    some = tuple(report for number, report in enumerate(REPORTS) if number != left_out)
    assert len(wrong_reports("a/b", replace(GOOD, reports=some))) == 1
    if left_out != 2:
        assert len(wrong_reports("a/b", replace(GOOD, reports=(REPORTS[left_out], *REPORTS)))) == 1


def test_a_start_after_a_call_in_proves_nothing_for_who_can_be_told() -> None:
    brought = replace(GOOD, callins=(100.1,))
    under_way = replace(GOOD, callins=(99.5,))
    assert not Runs([brought]).clear and not Runs([under_way]).clear and Runs([brought, GOOD]).clear
    assert "each of 2 times" in wrong_start("a/b", "at once", Runs([brought, under_way]))[0][1]
    assert wrong_start("a/b", "at once", Runs([brought, GOOD])) == []


def test_a_start_without_a_call_in_is_wrong_for_who_cannot_be_told() -> None:
    assert wrong_start("a/b", "after a call-in", Runs([replace(GOOD, callins=(100.1,))])) == []
    assert "without a call-in" in wrong_start("a/b", "after a call-in", Runs([GOOD]))[0][1]
    assert wrong_start("a/b", "either", Runs([GOOD])) == []


@pytest.mark.parametrize("way", ["at once", "after a call-in"])
def test_a_task_that_never_started_is_wrong(way: Any) -> None:
    assert "never started" in wrong_start("a/b", way, Runs([replace(GOOD, reports=REPORTS[:1])]))[0][1]


def test_a_late_start_is_wrong() -> None:
    late = tuple(replace(report, received=report.received + 9) for report in REPORTS)
    assert "after 9.2 s" in wrong_start("a/b", "at once", Runs([replace(GOOD, reports=late, callins=())]))[0][1]


def test_a_refusal_names_the_version_and_leaves_no_report() -> None:
    refused = Run(7, 100.0, ROW | RED, ("refused: agent 4.5.0 is older than 4.6",))
    assert wrong_refusal("a/b", refused) == []
    assert "Failed/Success" in wrong_refusal("a/b", replace(refused, subtask=ROW | {"state": "Failed"}))[0][1]
    assert len(wrong_refusal("a/b", GOOD)) == len(wrong_refusal("a/b", replace(refused, reports=REPORTS))) == 1


@pytest.mark.parametrize("ran", [0, 2])
def test_no_run_and_two_runs_are_wrong(ran: int) -> None:
    assert len(wrong_count("a/b", [GOOD, replace(GOOD, ran=ran)])) == 1


ENDED = ROW | {"endDate": "1970-01-01T00:01:40+00:00", "computerName": "pc"}


def test_the_live_view_shows_what_the_log_keeps_of_what_has_ended() -> None:
    assert wrong_view("a/b", replace(GOOD, subtask=ENDED, view=ROW)) == []
    assert "nothing" in wrong_view("a/b", replace(GOOD, subtask=ENDED))[0][1]
    assert len(wrong_view("a/b", replace(GOOD, subtask=ENDED, view=ROW | {"progress": "Progress"}))) == 1
    assert wrong_view("a/b", replace(GOOD, subtask=ENDED | {"endDate": None}, view=None)) == []
    assert wrong_view("a/b", replace(GOOD, subtask=None)) == []


@pytest.mark.parametrize("end", ["1970-01-01T00:01:42+00:00", None])
def test_a_subtask_ends_with_its_own_agents_report(end: str | None) -> None:
    run = replace(GOOD, subtask=ENDED)
    assert wrong_pace("a/b", run) == wrong_pace("a/b", replace(run, reports=REPORTS[:3])) == []
    ((_, seen),) = wrong_pace("a/b", replace(run, subtask=ENDED | {"endDate": end}))
    assert ("1.6 s later" if end else "not at all") in seen


OPEN = ENDED | {"endDate": None}
ENTRY = {"id": 7, "state": "Failed", "endDate": ENDED["endDate"]}


def test_an_entry_ends_with_its_last_subtask() -> None:
    later = ENTRY | {"endDate": "1970-01-01T00:01:41+00:00"}
    assert wrong_entry("a/b", ENTRY, [ENDED]) == wrong_entry("a/b", later, [ENDED]) == []
    assert wrong_entry("a/b", ENTRY | {"endDate": None}, [ENDED, OPEN]) == []
    assert "Failed, 0 s before, open are pc" in wrong_entry("a/b", ENTRY, [ENDED, OPEN])[0][1]
    assert (
        "Failed, 1 s before, open are none" in wrong_entry("a/b", ENTRY, [ENDED | {"endDate": later["endDate"]}])[0][1]
    )
    running = ENTRY | {"state": "In Progress", "endDate": None}
    assert "In Progress, all have ended" in wrong_entry("a/b", running, [ENDED])[0][1]
