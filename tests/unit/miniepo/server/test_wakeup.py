"""The reply of a wake-up, and which handlers count as alive."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from miniepo.server.wakeup import WakeupOutcome, is_alive
from miniepo.store.handlers import Handler


def test_the_reply_is_the_recorded_one() -> None:
    assert WakeupOutcome(2, 1, 0, 5, {}).text == "completed: 2\nfailed: 1\nexpired: 0"


@pytest.mark.parametrize(("silent", "enabled", "expected"), [(4, True, True), (25, True, False), (4, False, False)])
def test_a_silent_or_disabled_handler_is_not_alive(silent: float, enabled: bool, expected: bool) -> None:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    handler = Handler(1, "a", "a", "a", "", "", "", 80, 443, True, enabled, silent, then)
    assert is_alive(handler) is expected
