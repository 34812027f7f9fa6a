"""Wake-ups as the console sees them: queued for the handlers, awaited, counted and logged (domain §6.1, §7.4)."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from miniepo.errors import WorldError
from miniepo.server.jobs import Say
from miniepo.server.scheduler import MANUAL
from miniepo.server.services import Services
from miniepo.store import notices
from miniepo.store.handlers import Handler
from miniepo.store.notices import Notices
from miniepo.store.systems import System
from miniepo.store.work import WorkState

HANDLER_SILENT_SECONDS = 20.0
"""After this long without a heartbeat a handler counts as offline."""
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class WakeupOptions:
    """The options of the API with the defaults of a published client (domain §6.1)."""

    full_props: bool = False
    random_minutes: float = 0.0
    use_all_handlers: bool = False
    retry_seconds: float = 30.0
    attempts: int = 1
    abort_after_minutes: float = 5.0


@dataclass(frozen=True, slots=True)
class WakeupOutcome:
    """How many agents took the wake-up, refused or could not be reached, or were not tried in time."""

    completed: int
    failed: int
    expired: int
    task_log_id: int
    wakeup_ids: dict[str, str]

    @property
    def text(self) -> str:
        """The reply of system.wakeupAgent (domain §7.4)."""
        return f"completed: {self.completed}\nfailed: {self.failed}\nexpired: {self.expired}"


async def wake(services: Services, systems: Sequence[System], options: WakeupOptions, user: str) -> WakeupOutcome:
    """Queue a wake-up for each system and wait until the handlers are through with all of them."""
    batch = services.entropy.guid()
    ids = {system.id: services.entropy.guid() for system in systems}
    heard = Notices(services.settings.database, notices.DONE)
    listening = asyncio.create_task(heard.listen())
    states: list[WorkState] = []

    async def work(say: Say) -> None:
        await _queue(services, systems, options, batch, ids)
        states.extend(await _finished(services, heard, batch))
        await _log(states, say)

    try:
        log_id = await services.jobs.start("Wake Up Agents", user, MANUAL, work)
        await services.jobs.wait(log_id)
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    counted = Counter(state.outcome for state in states)
    names = {system.fqdn or system.name: ids[system.id] for system in systems}
    return WakeupOutcome(counted["completed"], counted["failed"], counted["expired"], log_id, names)


async def _queue(
    services: Services, systems: Sequence[System], options: WakeupOptions, batch: str, ids: dict[int, str]
) -> None:
    alive = {each.id for each in await services.store.handlers.all() if is_alive(each)}
    values = {
        "full_props": options.full_props,
        "random_seconds": options.random_minutes * 60,
        "attempts": options.attempts,
        "retry_seconds": options.retry_seconds,
    }
    async with services.store.transaction() as store:
        for system in systems:
            preferred = system.last_handler_id if system.last_handler_id in alive else None
            await store.work.add_wakeup(
                system.id, batch, ids[system.id], values, preferred, options.abort_after_minutes * 60
            )
        await store.work.announce()


async def _finished(services: Services, heard: Notices, batch: str) -> list[WorkState]:
    while True:
        states = await services.store.work.batch(batch)
        if all(state.outcome is not None for state in states):
            return states
        await heard.wait(_POLL_SECONDS)


async def _log(states: Sequence[WorkState], say: Say) -> None:
    """One line per agent; the job counts as failed if one of them was not woken."""
    for state in states:
        await say(f"{state.name}: {state.outcome} (wake-up {state.wakeup_id}) {state.message}".rstrip())
    missed = [state.name for state in states if state.outcome != "completed"]
    if missed:
        raise WorldError(f"not woken: {', '.join(missed)}")


def is_alive(handler: Handler) -> bool:
    """Whether a handler has said lately that it lives."""
    return handler.enabled and handler.silent_seconds < HANDLER_SILENT_SECONDS
