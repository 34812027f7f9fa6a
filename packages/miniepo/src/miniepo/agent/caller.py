"""Decides when the agent calls in: soon after its start, at every ASCI, and when something asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from miniepo.agent.communication import CallIn, Communication
from miniepo.agent.enforcement import Enforcer
from miniepo.clock import Clock, Entropy
from miniepo.errors import MiniepoError
from miniepo.log import logger
from miniepo.protocol.agent_session import Occasion
from miniepo.protocol.messages import Wakeup

_log = logger("agent.caller")
Waiting = tuple[Occasion, "asyncio.Future[CallIn] | None"]


class Caller:
    """Calls in, one communication at a time."""

    def __init__(
        self,
        communication: Communication,
        enforcer: Enforcer,
        clock: Clock,
        entropy: Entropy,
        done: Callable[[CallIn | None], None],
    ) -> None:
        self._communication = communication
        self._enforcer = enforcer
        self._clock = clock
        self._entropy = entropy
        self._done = done
        self._waiting: asyncio.Queue[Waiting] = asyncio.Queue()
        self._event_waits = False

    async def loop(self, first_within_seconds: float) -> None:
        """Call in for ever. The first call comes at a random moment of the first seconds (domain §4)."""
        due = self._clock.monotonic() + self._entropy.uniform(0, first_within_seconds)
        reason: Occasion = Occasion("start")
        while True:
            waiting = await self._next(due, reason)
            began = self._clock.monotonic()
            await self._call(*waiting)
            due = began + self._enforcer.settings.asci_seconds
            reason = Occasion("asci")

    async def _next(self, due: float, regular: Occasion) -> Waiting:
        """What waits comes first, also when the ASCI is over already."""
        if not self._waiting.empty():
            return self._waiting.get_nowait()
        try:
            return await asyncio.wait_for(self._waiting.get(), max(0.0, due - self._clock.monotonic()))
        except TimeoutError:
            return regular, None

    async def _call(self, occasion: Occasion, waiter: asyncio.Future[CallIn] | None) -> None:
        if occasion.reason == "event":
            self._event_waits = False
        try:
            call_in = await self._communication.run(occasion)
        except (MiniepoError, OSError) as error:
            _log.warning("not called in (%s): %s: %s", occasion.reason, type(error).__name__, error)
            self._done(None)
            if waiter is not None and not waiter.done():
                waiter.set_exception(error)
            return
        self._done(call_in)
        if waiter is not None and not waiter.done():
            waiter.set_result(call_in)

    def ask(self, occasion: Occasion) -> asyncio.Future[CallIn]:
        """Call in as soon as possible; the future is the outcome."""
        waiter: asyncio.Future[CallIn] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((occasion, waiter))
        return waiter

    def event_waits(self) -> None:
        """An event of priority is in the spool: deliver it now, once for all that wait."""
        if not self._event_waits:
            self._event_waits = True
            self._waiting.put_nowait((Occasion("event"), None))

    def woken(self, call: Wakeup) -> None:
        """A wake-up call was accepted: call in, spread over the seconds it allows."""
        occasion = Occasion("wakeup", wakeup_id=call.wakeup_id, full_props=call.full_props)
        delay = self._entropy.uniform(0, call.random_seconds) if call.random_seconds > 0 else 0.0
        asyncio.get_running_loop().call_later(delay, self._waiting.put_nowait, (occasion, None))
