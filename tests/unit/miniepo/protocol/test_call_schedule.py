"""Playbooks of when an agent calls in of its own accord."""

from __future__ import annotations

import pytest

from miniepo.protocol.agent_session import Reason
from miniepo.protocol.call_schedule import CallSchedule, EnforcementSchedule, UploadSchedule


def test_the_first_call_comes_at_the_drawn_moment() -> None:
    schedule = CallSchedule(started=100.0, drawn=4.0)
    assert (schedule.due, schedule.reason) == (104.0, "start")
    assert (schedule.wait(101.0), schedule.wait(104.0), schedule.wait(200.0)) == (3.0, 0.0, 0.0)


@pytest.mark.parametrize("reason", ["start", "asci", "wakeup", "manual"])
def test_the_interval_counts_from_the_beginning_of_the_last_call(reason: Reason) -> None:
    schedule = CallSchedule(100.0, 4.0)
    schedule.called(103.0, reason, 60.0)
    assert (schedule.due, schedule.reason) == (163.0, "asci")


def test_an_upload_of_events_does_not_put_the_asci_off() -> None:
    schedule = CallSchedule(100.0, 4.0)
    schedule.called(102.0, "event", 60.0)
    assert (schedule.due, schedule.reason) == (104.0, "start")
    schedule.called(104.0, "start", 60.0)
    schedule.called(150.0, "event", 60.0)
    assert (schedule.due, schedule.reason) == (164.0, "asci")


def test_a_changed_interval_counts_from_the_next_call() -> None:
    schedule = CallSchedule(0.0, 0.0)
    schedule.called(0.0, "start", 60.0)
    schedule.called(60.0, "asci", 5.0)
    assert schedule.due == 65.0


def test_one_upload_takes_all_events_that_come_before_it() -> None:
    uploads = UploadSchedule()
    assert uploads.ask(10.0, 0.0) == 0.0
    assert uploads.ask(10.1, 0.0) is None
    uploads.begins(10.2)
    assert uploads.ask(10.3, 0.0) == 0.0


def test_uploads_keep_their_distance_where_policy_wants_it() -> None:
    uploads = UploadSchedule()
    assert uploads.ask(10.0, 300.0) == 0.0
    uploads.begins(10.0)
    assert uploads.ask(70.0, 300.0) == 240.0
    uploads.begins(310.0)
    assert uploads.ask(1000.0, 300.0) == 0.0


def test_policies_are_enforced_again_when_the_interval_is_over() -> None:
    schedule = EnforcementSchedule(100.0)
    seen = [schedule.is_due(now, 5.0) for now in (101.0, 104.9, 105.0, 106.0, 109.9, 110.2)]
    assert seen == [False, False, True, False, False, True]


def test_a_shorter_interval_counts_at_once() -> None:
    schedule = EnforcementSchedule(100.0)
    assert not schedule.is_due(110.0, 300.0)
    assert schedule.is_due(111.0, 5.0)
