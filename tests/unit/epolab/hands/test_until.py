"""Waiting with a limit, and moments as text."""

from datetime import UTC, datetime

import pytest

from epolab.errors import TimeoutExceededError
from epolab.hands.until import after, now, parse_stamp, seconds, stamp, until


def test_the_first_good_answer_is_given():
    answers = iter([None, False, "yes", "later"])
    assert until(lambda: next(answers), what="it", limit_seconds=5, pause_seconds=0) == "yes"


def test_an_answer_of_zero_is_an_answer():
    assert until(lambda: 0, what="it", limit_seconds=0) == 0


def test_after_the_limit_it_says_what_was_awaited():
    with pytest.raises(TimeoutExceededError, match="the door opens: not within 0 s"):
        until(lambda: None, what="the door opens", limit_seconds=0)


def test_a_moment_survives_as_text():
    moment = datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)
    assert stamp(moment) == "2026-01-31T12:00:05Z"
    assert parse_stamp(stamp(moment)) == moment
    assert stamp(after(moment, 60)) == "2026-01-31T12:01:05Z"
    assert now().microsecond == 0


def test_the_other_clock_never_goes_back():
    assert seconds() <= seconds()
