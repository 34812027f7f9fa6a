"""What the options of a wake-up amount to, which agents are old, and which handlers count as alive."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from miniepo.server.wakeup import WakeupOptions, first_handler_only, is_alive, listed_handlers
from miniepo.store.handlers import Handler
from tests.unit.miniepo.server.test_assigned import declared
from tests.unit.miniepo.server.test_assigned import system as placed
from tests.unit.miniepo.systems import system


def test_the_defaults_are_a_published_clients() -> None:
    options = WakeupOptions()
    assert (options.abort_after_minutes, options.retry_seconds, options.attempts) == (5, 30, 1)
    assert options.random_minutes == 0 and not options.use_all_handlers and not options.superagent


def test_a_handler_is_told_how_to_call_and_nothing_else() -> None:
    assert WakeupOptions(random_minutes=2, full_props=True, full_policy=True, attempts=3).values == {
        "full_props": True,
        "full_policy": True,
        "random_seconds": 120,
        "attempts": 3,
        "retry_seconds": 30,
    }


@pytest.mark.parametrize(("version", "old"), [("4.0.0", True), ("4.5.0", False), ("5.7", False), (None, True)])
def test_agents_before_4_5_answer_their_first_handler_only(version: str | None, old: bool) -> None:
    assert first_handler_only(system(version=version)) is old


@pytest.mark.parametrize(("silent", "enabled", "expected"), [(4, True, True), (25, True, False), (4, False, False)])
def test_a_silent_or_disabled_handler_is_not_alive(silent: float, enabled: bool, expected: bool) -> None:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    handler = Handler(1, "a", "a", "a", "", "", "", 80, 443, True, enabled, silent, then)
    assert is_alive(handler) is expected


def test_all_handlers_are_those_that_the_agent_answers() -> None:
    lab = declared()
    assert listed_handlers(lab, placed(2, "10.7.0.5"), lab.handlers) == [2], "its rule names the second alone"
    assert listed_handlers(lab, placed(2, "10.8.0.5"), lab.handlers) == [1, 2]


def test_the_handler_that_an_agent_last_talked_to_is_in_the_list_that_it_still_has() -> None:
    lab = declared()
    moved = dataclasses.replace(placed(2, "10.7.0.5"), last_handler_id=1)
    assert listed_handlers(lab, moved, lab.handlers) == [1, 2]
