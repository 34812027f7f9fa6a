"""Playbooks of one subtask of Run Client Task Now: events in, segments and log lines out."""

from __future__ import annotations

import pytest

from miniepo.errors import MessageError
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.run_now import (
    NO_FINAL_STATUS,
    PRODUCT,
    TASK_STATUS,
    Cancelled,
    Change,
    Event,
    Expired,
    Interrupted,
    Lost,
    Refused,
    Report,
    Reported,
    Segments,
    Status,
    changes_by,
    outcome,
    read_message,
    read_report,
    read_run_task,
    receive,
)

GREY, GREEN, RED = "Progress", "Success", "Failure"


def told(status: Status, percent: int = 0, text: str = "") -> Reported:
    return Reported(Report(status=status, percent=percent, text=text))


def play(*events: Event) -> tuple[Segments, list[str]]:
    """The segments after all events, and what the log says."""
    segments, lines = Segments(), []
    for event in events:
        change = receive(segments, event)
        segments = change.segments
        lines += [change.message] if change.message else []
    return segments, lines


def test_a_new_subtask_is_grey_in_all_three_segments() -> None:
    assert play() == (Segments("In Progress", GREY, GREY, GREY, 0), [])


def test_a_task_goes_green_segment_by_segment() -> None:
    events = [told("received"), told("started"), told("progress", 40), told("succeeded", text="12 files")]
    seen = [play(*events[: count + 1])[0] for count in range(len(events))]
    assert [(s.send, s.start, s.progress, s.percent) for s in seen] == [
        (GREEN, GREY, GREY, 0),
        (GREEN, GREEN, GREY, 0),
        (GREEN, GREEN, GREY, 40),
        (GREEN, GREEN, GREEN, 100),
    ]
    assert [s.state for s in seen] == ["In Progress"] * 3 + ["Completed"]
    assert play(*events)[1] == ["sent", "started", "progress 40 %", "succeeded: 12 files"]


@pytest.mark.parametrize(
    ("before", "segments"),
    [
        ([], (GREEN, RED, RED)),
        ([told("received")], (GREEN, RED, RED)),
        ([told("received"), told("started"), told("progress", 10)], (GREEN, GREEN, RED)),
    ],
)
def test_what_had_not_succeeded_fails_with_the_task(before: list[Event], segments: tuple[str, str, str]) -> None:
    after, lines = play(*before, told("failed", text="no repository"))
    assert (after.send, after.start, after.progress) == segments
    assert after.state == "Failed" and lines[-1] == "failed: no repository"


def test_a_request_that_nobody_fetched_expires_and_one_that_was_fetched_does_not() -> None:
    after, lines = play(Expired(5))
    assert (after.state, after.send) == ("Failed", RED) and lines == ["expired: not fetched within 5 minutes"]
    assert play(told("received"), Expired(5)) == play(told("received"))


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ([], "cancelled by admin"),
        ([told("received"), told("started")], "cancelled by admin; the agent has the request, and goes on"),
    ],
)
def test_a_cancelled_one_has_ended_and_what_still_comes_is_told(before: list[Event], line: str) -> None:
    after, lines = play(*before, Cancelled("admin"))
    assert (after.state, lines[-1]) == ("Ended", line)
    assert play(*before, Cancelled("admin"), told("succeeded"))[0] == after
    over = [told("received"), told("succeeded")]
    assert play(*over, Cancelled("admin")) == play(*over)


def test_a_system_that_cannot_is_refused_by_name_of_the_reason() -> None:
    after, lines = play(Refused("agent 4.5.0 is older than 4.6"))
    assert (after.state, after.send, after.start, after.progress) == ("Failed", RED, RED, RED)
    assert lines == ["refused: agent 4.5.0 is older than 4.6"]


def test_a_task_behind_another_waits_and_goes_on() -> None:
    assert play(told("received"), told("waiting"))[0].state == "Waiting"
    assert play(told("received"), told("waiting"), told("started"))[0].state == "In Progress"


def test_without_a_final_status_the_subtask_closes_as_unknown_and_progress_stays_grey() -> None:
    after, lines = play(told("started"), told("progress", 30), told(NO_FINAL_STATUS))
    assert (after.state, after.start, after.progress, after.percent) == ("Ended", GREEN, GREY, 30)
    assert lines[-1] == "unknown: TASK_NO_FINAL_STATUS"


def test_an_agent_that_tells_no_more_closes_it_as_unknown_and_an_end_that_was_told_stays() -> None:
    after, lines = play(told("started"), told("progress", 30), Lost("the system is gone"))
    assert (after.state, after.send, after.start, after.progress) == ("Ended", GREEN, GREEN, GREY)
    assert lines[-1] == "unknown: the system is gone"
    assert play(Lost("it has said nothing"))[0] == Segments("Ended", GREEN, GREY, GREY)
    assert play(told("succeeded"), Lost("it has said nothing")) == play(told("succeeded"))


def test_a_task_that_took_too_long_was_stopped() -> None:
    after, _ = play(told("started"), told("stopped", text="after 1 minute"))
    assert (after.state, after.start, after.progress) == ("Stopped", GREEN, RED)


def test_a_stopped_service_leaves_the_subtask_unfinished_and_a_late_end_closes_it() -> None:
    after, lines = play(told("started"), Interrupted())
    assert not after.closed and lines[-1].startswith("unfinished")
    assert play(told("started"), Interrupted(), told("succeeded"))[0].state == "Completed"
    assert play(told("succeeded"), Interrupted()) == play(told("succeeded"))


def test_the_first_end_counts_and_the_log_keeps_what_comes_after() -> None:
    ended, lines = play(told("succeeded"), told("failed", text="again"), told("progress", 50), Expired(5), Refused("x"))
    assert ended == play(told("succeeded"))[0]
    assert lines == ["succeeded", "after the end: failed: again"]


def test_reports_delivered_twice_or_out_of_order_change_nothing() -> None:
    once = play(told("received"), told("started"), told("progress", 50))
    assert play(told("received"), told("received"), told("started"), told("progress", 50), told("progress", 50)) == once
    late, _ = play(told("progress", 50), told("started"), told("received"), told("progress", 20))
    assert late == once[0]
    assert play(told("progress", 900))[0].percent == 100


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        (["Completed", "In Progress"], None),
        (["Waiting", "Failed"], None),
        (["Completed", "Completed"], "Completed"),
        (["Completed", "Stopped", "Failed", "Ended"], "Failed"),
        (["Completed", "Ended", "Stopped"], "Ended"),
        (["Stopped", "Completed"], "Stopped"),
        ([], "Completed"),
    ],
)
def test_the_entry_is_as_its_worst_subtask_once_all_have_ended(states: list[str], whole: str | None) -> None:
    assert outcome(states) == whole


def test_payloads_are_read_strictly() -> None:
    task = {"id": "7", "name": "Scan", "type": "scan"}
    assert read_run_task({"task": task, "stop_seconds": 60}).task.type == "scan"
    assert read_report({"status": "progress", "percent": 3}) == Report(status="progress", percent=3)
    for payload in ({"status": "perhaps"}, {"status": "failed", "percent": "much"}, {}):
        with pytest.raises(MessageError):
            read_report(payload)
    with pytest.raises(MessageError):
        read_run_task({"task": "scan"})


def test_a_report_is_about_an_entry_of_the_log() -> None:
    assert read_message(message(TASK_STATUS, "42")) == (42, Report(status="started"))
    for kind, correlation in ((TASK_STATUS, "x"), (TASK_STATUS, ""), (TASK_STATUS, "٤"), ("other", "42")):
        with pytest.raises(MessageError):
            read_message(message(kind, correlation))


def message(kind: str, correlation: str) -> ChannelMessage:
    payload = {"status": "started"}
    return ChannelMessage(id="1", product=PRODUCT, kind=kind, correlation=correlation, payload=payload, expires=0)


def test_changes_follow_one_another_and_what_changes_nothing_is_none() -> None:
    begun = Segments("In Progress", GREEN, GREEN, GREY, 0)
    assert changes_by(Segments(), [told("received"), told("started"), told("started"), Interrupted()]) == [
        Change(Segments("In Progress", GREEN, GREY, GREY, 0), "sent"),
        Change(begun, "started"),
        Change(begun, "unfinished: the service stopped, its memory is lost"),
    ]
    assert changes_by(begun, [told("received"), told("started")]) == []
