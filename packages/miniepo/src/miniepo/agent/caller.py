"""Decides when the agent calls in: soon after its start, at every ASCI, and when something asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from miniepo.agent.communication import CallIn, Communication
from miniepo.agent.enforcement import Enforcer
from miniepo.agent.wakeup import delay_seconds
from miniepo.clock import Clock, Entropy
from miniepo.errors import MiniepoError
from miniepo.log import logger
from miniepo.patience import within
from miniepo.protocol.agent_session import Occasion
from miniepo.protocol.call_schedule import CallSchedule, UploadSchedule
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
        self._uploads = UploadSchedule()

    async def loop(self, first_within_seconds: float) -> None:
        """Call in for ever. The first call comes at a random moment of the first seconds (domain §4)."""
        drawn = self._entropy.uniform(0, first_within_seconds)
        _log.info("first call in %.3f s, drawn from the first %.3f s", drawn, first_within_seconds)
        schedule = CallSchedule(self._clock.monotonic(), drawn)
        while True:
            occasion, waiter = await self._next(schedule)
            if occasion.reason == "start":
                _log.info("first call begins")
            began = self._clock.monotonic()
            await self._call(replace(occasion, next_asci=began + self._enforcer.settings.asci_seconds), waiter)
            schedule.called(began, occasion.reason, self._enforcer.settings.asci_seconds)

    async def _next(self, schedule: CallSchedule) -> Waiting:
        """What waits comes first, also when the ASCI is over already."""
        if not self._waiting.empty():
            return self._waiting.get_nowait()
        try:
            return await within(self._waiting.get(), schedule.wait(self._clock.monotonic()))
        except TimeoutError:
            return Occasion(schedule.reason), None

    async def _call(self, occasion: Occasion, waiter: asyncio.Future[CallIn] | None) -> None:
        if occasion.reason == "event":
            self._uploads.begins(self._clock.monotonic())
            if not self._communication.has_urgent_events():
                return
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
        delay = self._uploads.ask(self._clock.monotonic(), self._enforcer.settings.event_interval_seconds)
        if delay is not None:
            asyncio.get_running_loop().call_later(delay, self._waiting.put_nowait, (Occasion("event"), None))

    def woken(self, call: Wakeup) -> None:
        """A wake-up call was accepted: call in, spread over the seconds it allows."""
        occasion = Occasion("wakeup", wakeup_id=call.wakeup_id, full_props=call.full_props)
        delay = delay_seconds(call, self._entropy.uniform)
        asyncio.get_running_loop().call_later(delay, self._waiting.put_nowait, (occasion, None))
