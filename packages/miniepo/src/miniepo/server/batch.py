"""Jobs for handlers that belong together: queued at once, awaited, told system by system in the Server Task Log.

Each system has a subtask of its own there (domain §6.4). What a handler tried and could not do stands in its
`server.log`; what no handler was asked to do, or did in time, stands in the server's.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from miniepo import log
from miniepo.clock import Clock
from miniepo.errors import StoreError, WorldError
from miniepo.server.jobs import Say
from miniepo.server.scheduler import MANUAL
from miniepo.server.services import Services
from miniepo.server.wakeup_plan import Unwoken
from miniepo.store import notices
from miniepo.store.notices import Notices
from miniepo.store.store import Store
from miniepo.store.subtasks import COMPLETED, ENDED, FAILED, Subtask, Target
from miniepo.store.systems import System
from miniepo.store.work import WorkState

_POLL_SECONDS = 1.0
_GRACE_SECONDS = 60.0
"""How long after the last job's expiry a database that is gone may still come back."""
_CANCELLED = "cancelled"
_STATES = {"completed": COMPLETED, "failed": FAILED, "expired": ENDED}
_logger = log.logger("server.batch")
_server_log = log.server_log("NAIMSRV")


@dataclass(frozen=True, slots=True)
class Order:
    """One job to queue; `expires_seconds` is when it is given up."""

    system: System
    kind: str
    wakeup_id: str
    options: Mapping[str, Any]
    handler_id: int | None
    expires_seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many systems took the order, refused or could not be reached, or were not tried in time."""

    completed: int
    failed: int
    expired: int
    task_log_id: int
    wakeup_ids: Mapping[str, str]

    @property
    def text(self) -> str:
        """The reply of system.wakeupAgent (domain §7.4)."""
        return f"completed: {self.completed}\nfailed: {self.failed}\nexpired: {self.expired}"


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one system."""

    system_id: int | None
    name: str
    outcome: str
    message: str


async def carry_out(
    services: Services, name: str, user: str, orders: Sequence[Order], unwoken: Sequence[Unwoken]
) -> Outcome:
    """Queue the orders, wait until all are done with, and write the entry `name` of the Server Task Log."""
    batch = services.entropy.guid()
    heard = Notices(services.settings.database, notices.DONE)
    listening = asyncio.create_task(heard.listen())
    opened: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    ended: list[Ended] = []

    async def work(say: Say) -> None:
        log_id = await opened
        subtasks = _numbers(await _open_subtasks(services.store, log_id, orders, unwoken))
        await _queue(services.store, orders, batch)
        patience = max((order.expires_seconds for order in orders), default=0.0) + _GRACE_SECONDS
        states = await until_finished(services.store, heard, batch, services.clock, patience)
        ended.extend([*map(_ended, states), *map(_never_began, unwoken)])
        await _tell(services.store, log_id, subtasks, ended)
        _raise_for(name, ended)

    async def take_back() -> None:
        ended[:] = await _take_back(services.store, await opened, batch, unwoken)

    try:
        log_id = await services.jobs.start(name, user, MANUAL, work, take_back)
        opened.set_result(log_id)
        await services.jobs.wait(log_id)
    finally:
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening
    counted = Counter(each.outcome for each in ended)
    ids = {order.system.fqdn or order.system.name: order.wakeup_id for order in orders}
    return Outcome(counted["completed"], counted["failed"], counted["expired"], log_id, ids)


async def _open_subtasks(
    store: Store, log_id: int, orders: Sequence[Order], unwoken: Sequence[Unwoken]
) -> list[Subtask]:
    targets = {order.system.id: _target(order.system) for order in orders}
    others = {_key(each): _target(each.system) if each.system else Target(None, None, each.name) for each in unwoken}
    return await store.subtasks.open(log_id, [*targets.values(), *others.values()]) if targets or others else []


def _numbers(opened: Sequence[Subtask]) -> dict[int | str, int]:
    """The number of each subtask by its system's number, or its name where there is no system."""
    return {subtask.system_id or subtask.name: subtask.id for subtask in opened}


def _target(system: System) -> Target:
    return Target(system.guid, system.id, system.fqdn or system.name)


def _key(unwoken: Unwoken) -> int | str:
    return unwoken.system.id if unwoken.system is not None else unwoken.name


async def _queue(store: Store, orders: Sequence[Order], batch: str) -> None:
    async with store.transaction() as transaction:
        for order in orders:
            await transaction.work.add_wakeup(
                order.system.id,
                batch,
                order.wakeup_id,
                dict(order.options),
                order.handler_id,
                order.expires_seconds,
                order.kind,
            )
        await transaction.work.announce()


async def until_finished(
    store: Store, heard: Notices, batch: str, clock: Clock, patience_seconds: float
) -> list[WorkState]:
    """How the jobs ended. A database that comes and goes is borne for so long; then raises StoreError."""
    deadline = clock.monotonic() + patience_seconds
    while True:
        try:
            states = await store.work.batch(batch)
            if all(state.outcome is not None for state in states):
                return states
        except StoreError as error:
            if clock.monotonic() >= deadline:
                raise
            _logger.warning("cannot see how jobs go: %s", error)
        await heard.wait(_POLL_SECONDS)


async def _take_back(store: Store, log_id: int, batch: str, unwoken: Sequence[Unwoken]) -> list[Ended]:
    """Take from the handlers what they have not done, and tell of every system, queued already or not."""
    await store.work.withdraw(batch, _CANCELLED)
    ended = [*map(_ended, await store.work.batch(batch)), *map(_never_began, unwoken)]
    subtasks = await store.subtasks.of_task(log_id)
    await store.subtasks.set_states({each.id: ENDED for each in subtasks})
    await _tell(store, log_id, _numbers(subtasks), ended)
    return ended


def _ended(state: WorkState) -> Ended:
    return Ended(state.target, state.name, state.outcome or "expired", f"{state.message} (wake-up {state.wakeup_id})")


def _never_began(unwoken: Unwoken) -> Ended:
    return Ended(unwoken.system.id if unwoken.system else None, unwoken.name, "failed", unwoken.reason)


async def _tell(store: Store, log_id: int, subtasks: Mapping[int | str, int], ended: Sequence[Ended]) -> None:
    """One line and one state per system."""
    numbered = [(each, subtasks.get(each.system_id or each.name)) for each in ended]
    lines = [(f"{each.name}: {each.outcome}: {each.message}", subtask) for each, subtask in numbered]
    await store.task_log.add_all(log_id, lines)
    states = {subtask: _STATES[each.outcome] for each, subtask in numbered if subtask is not None}
    await store.subtasks.set_states(states)


def _raise_for(name: str, ended: Sequence[Ended]) -> None:
    """The entry counts as failed if one system's order was not carried out; the server's log says which."""
    missed = [each for each in ended if each.outcome != "completed"]
    for each in missed:
        _server_log.error("%s: %s: %s: %s", name, each.name, each.outcome, each.message)
    if missed:
        raise WorldError(f"not done: {', '.join(each.name for each in missed)}")
