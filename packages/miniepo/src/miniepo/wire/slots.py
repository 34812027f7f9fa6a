"""How many connections a server holds at once, and what becomes of one more: counting, no sockets."""

from __future__ import annotations

import asyncio
from typing import Literal

from miniepo.clock import Clock

MAX_CONNECTIONS = 245
"""An Agent Handler serves about 245 connections at once (domain §1.1, source S2)."""
REFUSALS_AT_ONCE = 32
_SAY_EVERY_SECONDS = 5.0

Verdict = Literal["serve", "refuse"]


class Slots:
    """The connections of one server over all its ports, however slow they are.

    One above the limit is refused in words; so that refusing costs no more than serving, only so many are refused at a
    time, and whoever else comes meanwhile waits in the kernel's queue.
    """

    def __init__(self, limit: int = MAX_CONNECTIONS, refusals_at_once: int = REFUSALS_AT_ONCE) -> None:
        self.limit = limit
        self.refused = 0
        self._serving = 0
        self._refusing = 0
        self._refusals_at_once = refusals_at_once
        self._said_at: float | None = None
        self._given_back = asyncio.Event()

    @property
    def serving(self) -> int:
        """Connections that hold a slot now."""
        return self._serving

    @property
    def has_room(self) -> bool:
        """Whether one more connection can be served, or refused in words."""
        return self._serving < self.limit or self._refusing < self._refusals_at_once

    async def room(self) -> None:
        """Return when there is room."""
        while not self.has_room:
            self._given_back.clear()
            await self._given_back.wait()

    def take(self) -> Verdict:
        """What to do with a new connection; `give_back` must follow its end."""
        if self._serving < self.limit:
            self._serving += 1
            return "serve"
        self.refused += 1
        self._refusing += 1
        return "refuse"

    def give_back(self, verdict: Verdict) -> None:
        """A connection of this verdict has ended."""
        if verdict == "serve":
            self._serving -= 1
        else:
            self._refusing -= 1
        self._given_back.set()

    def may_say(self, clock: Clock) -> bool:
        """Whether it is time for a log line about refusals; a crowd does not fill the log."""
        now = clock.monotonic()
        if self._said_at is not None and now < self._said_at + _SAY_EVERY_SECONDS:
            return False
        self._said_at = now
        return True
