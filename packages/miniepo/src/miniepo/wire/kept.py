"""Connections that are kept for the next request, each until it is too old: pure but for the clock.

A certificate is examined when a connection is opened. One that ends by time must not live on in a connection that is
never idle for long enough to be closed.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from miniepo.clock import Clock

Kind = TypeVar("Kind")


class Kept(Generic[Kind]):
    """What is kept, the last one first; `seconds` after it was opened nothing is taken any more."""

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._opened: list[tuple[Kind, float]] = []

    def now(self) -> float:
        """The moment at which something is opened."""
        return self._clock.monotonic()

    def keep(self, connection: Kind, opened: float) -> None:
        """Have it ready for the next request."""
        self._opened.append((connection, opened))

    def take(self) -> tuple[Kind, float] | None:
        """One that may still be used, and when it was opened; call `overdue` before."""
        return self._opened.pop() if self._opened else None

    def overdue(self) -> list[Kind]:
        """Those that are too old, which are not kept any more: the caller closes them."""
        ends = self._clock.monotonic() - self._seconds
        old = [connection for connection, opened in self._opened if opened <= ends]
        self._opened = [each for each in self._opened if each[1] > ends]
        return old

    def all(self) -> list[Kind]:
        """All of them, which are not kept any more."""
        every = [connection for connection, _ in self._opened]
        self._opened = []
        return every
