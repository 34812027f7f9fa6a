"""The host's clock, and waiting with a limit and a pause."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from epolab.errors import TimeoutExceededError

T = TypeVar("T")


def now() -> datetime:
    """The time of day, in UTC, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def stamp(moment: datetime) -> str:
    """A moment as labels and documents have it, such as `2026-01-31T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_stamp(text: str) -> datetime:
    """The moment that `stamp` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def after(moment: datetime, seconds: float) -> datetime:
    """The moment so many seconds later."""
    return moment + timedelta(seconds=seconds)


def seconds() -> float:
    """Seconds on a clock that never goes back, for measuring how long a thing took."""
    return time.monotonic()


def pause(duration_seconds: float) -> None:
    """Do nothing for a while."""
    time.sleep(duration_seconds)


def until(
    probe: Callable[[], T | None], *, what: str, limit_seconds: float, pause_seconds: float = 0.1, hint: str = ""
) -> T:
    """Ask again and again until the answer is neither None nor false; TimeoutExceededError after the limit."""
    end = time.monotonic() + limit_seconds
    while True:
        answer = probe()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() >= end:
            raise TimeoutExceededError(f"{what}: not within {limit_seconds:g} s", hint=hint)
        time.sleep(pause_seconds)
