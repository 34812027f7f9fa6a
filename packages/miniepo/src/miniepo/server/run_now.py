"""Run Client Task Now: queues a task for systems at once and follows each until its end (domain §6.2, source S2).

No wake-up is sent: the request waits in the DataChannel's queue, agents that handlers reach fetch it at once, those
behind NAT or a relay after their next call-in. The MA 4.8 guide speaks of wake-up calls, S2 says that there are none:
S2 counts. Nothing waits for an answer: a system may answer hours later. Which report belongs to which action is held in
memory only, as in the source: after a restart of the service the subtasks that were open stay unfinished, and only an
end that is reported still closes one. That reports in between are lost then is [uncertain]; `follow_after_restart`
has them followed too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import msgspec

from miniepo.clock import Clock
from miniepo.errors import CommandError, MessageError, MiniepoError, StoreError
from miniepo.log import logger
from miniepo.protocol import version
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.messages import ClientTask
from miniepo.protocol.run_now import (
    FINAL,
    PRODUCT,
    RUN_TASK,
    Cancelled,
    Event,
    Expired,
    Lost,
    Refused,
    Report,
    Reported,
    RunTask,
    Segments,
    changes_by,
    read_message,
    receive,
)
from miniepo.server.run_now_action import Action, Follow
from miniepo.server.run_now_limit import PROPERTY, Limit
from miniepo.server.scheduler import MANUAL
from miniepo.store.store import Store
from miniepo.store.subtasks import ENDED, Subtask, Target
from miniepo.store.systems import System

NAME = "Run Client Task Now"
SINCE = (4, 6)
"""The ePO version, and the agent's, from which on tasks can be run now (S2)."""
DEFAULT_ABORT_MINUTES = 1440.0
"""How long a request waits to be fetched unless the call says otherwise: a day, so that a system behind NAT with an
ASCI of an hour gets it. The published default is not known [uncertain]."""
QUIET_MINUTES = 1440.0
"""How long an agent that has the request may say nothing before its subtask ends as unknown, longer if a call allows
more. No source gives an end; an agent tells of a task's progress ten times [uncertain]."""
LOOK_SECONDS = 1.0
CENSUS_SECONDS = 5.0
"""How often it is looked up whether the systems that run something are still there."""
KEPT_ACTIONS = 200
_logger = logger("server.run_now")


class Channel(Protocol):
    """What of the DataChannel is needed here."""

    def register(self, product: str, handle: Callable[[str, Sequence[ChannelMessage]], Awaitable[None]]) -> None: ...

    async def send(
        self,
        targets: Sequence[int],
        product: str,
        kind: str,
        correlation: str,
        payload: dict[str, Any],
        expires_seconds: float,
    ) -> str: ...

    async def withdraw(self, batch: str, message: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Options:
    """The options of clienttask.run (domain §7.3). Attempts are the channel's: it announces a request until it is
    fetched, so `retry_attempts` and `retry_seconds` change nothing; nor does `use_all_handlers`, because every handler
    serves every agent's channel [uncertain]."""

    abort_minutes: float = DEFAULT_ABORT_MINUTES
    stop_minutes: float = 0
    random_minutes: float = 0

    @property
    def quiet_seconds(self) -> float:
        """How long an agent that has the request may say nothing."""
        return 60 * (max(QUIET_MINUTES, self.abort_minutes, self.stop_minutes) + self.random_minutes)


class RunNow:
    """All actions of one server."""

    def __init__(
        self,
        store: Store,
        channel: Channel,
        limit: Limit,
        epo_version: str,
        clock: Clock,
        follow_after_restart: bool = False,
    ) -> None:
        self._store = store
        self._channel = channel
        self._limit = limit
        self._epo_version = epo_version
        self._clock = clock
        self._follow_after_restart = follow_after_restart
        self._actions: dict[int, Action] = {}
        channel.register(PRODUCT, self.received)

    async def prepare(self) -> None:
        """Have the properties file, and say in every entry that a stopped service left what of it stays unfinished."""
        self._limit.prepare()
        for left in await self._store.subtasks.interrupted():
            text = f"the service stopped: its memory is lost, {left.count} subtasks stay unfinished: {left.names}"
            await self._store.task_log.add(left.log_id, text)
            await self._store.task_log.close(left.log_id, ENDED)

    async def start(self, systems: Sequence[System], task: ClientTask, options: Options, user: str) -> int:
        """Queue a task for these systems; the AutoId of its log entry, which is its CorrelationId."""
        limit = self._limit.read()
        if len(systems) > limit:
            raise CommandError(
                f"{len(systems)} systems are more than {PROPERTY} = {limit} in {self._limit.path} allows in one action"
            )
        action = await self._open(systems, task, options, user)
        async with action.lock:
            self._forget_old()
            self._actions[action.log_id] = action
            await self._begin(action, systems, task, options)
        return action.log_id

    async def received(self, guid: str, messages: Sequence[ChannelMessage]) -> None:
        """An agent's reports; they are in the database when this returns. What is none is dropped aloud."""
        for log_id, told in groupby(_read(guid, messages), key=lambda each: each[0]):
            reports = [report for _, report in told]
            action = self._actions.get(log_id)
            follow = await self._follow_of(action, guid) if action else None
            if action and follow:
                follow.heard = self._clock.monotonic()
                await self._apply(action, follow, *map(Reported, reports))
                await self._close_if_over(action)
            else:
                for report in reports:
                    await self._without_memory(log_id, guid, report)

    async def watch(self, log_id: int, revision: int = -1, seconds: float = 0) -> dict[str, Any]:
        """The live view of an action, at once or when it is newer than a revision. CommandError once it is closed."""
        action = self._viewed(log_id)
        if seconds > 0:
            await action.changed(revision, seconds)
        return action.view()

    async def cancel(self, log_id: int, user: str) -> bool:
        """End an action; False if nothing of it is open. Who has not fetched the request does not get it any more, who
        has goes on with the task: no source says that agents are told [uncertain].

        Raises StoreError; `look` goes on with it as soon as the database answers.
        """
        action = self._actions.get(log_id)
        if action is None:
            return False
        async with action.lock:
            if action.outcome() is not None:
                return False
            action.cancelled = user
            await self._tend(action)
        return True

    def close_view(self, log_id: int) -> None:
        """Close the live view for ever; the Server Task Log goes on."""
        self._viewed(log_id).view_open = False

    def views(self) -> list[dict[str, Any]]:
        """The live views that are open."""
        return [
            {"taskLogId": action.log_id, "task": action.task, "state": action.outcome() or "In Progress"}
            for action in self._actions.values()
            if action.view_open
        ]

    async def loop(self) -> None:
        """Look for requests that will not be fetched any more, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except StoreError as error:
                _logger.warning("cannot look after what runs now: %s", error)

    async def look(self) -> None:
        """One look. Raises StoreError; the next one goes on with what is left."""
        for action in list(self._actions.values()):
            if not action.logged_end:
                async with action.lock:
                    await self._tend(action)

    def _viewed(self, log_id: int) -> Action:
        action = self._actions.get(log_id)
        if action is None or not action.view_open:
            raise CommandError(
                f"the status view of {log_id} is closed and cannot be reopened; tasklog.listSubtasks has everything"
            )
        return action

    async def _follow_of(self, action: Action, guid: str) -> Follow | None:
        """Whom a report is about; the agent may have taken a new GUID after it was asked."""
        known = action.of_agent(guid)
        if known is not None:
            return known
        system = await self._store.systems.by_guid(guid)
        return action.now_has(system.id, guid) if system else None

    async def _open(self, systems: Sequence[System], task: ClientTask, options: Options, user: str) -> Action:
        async with self._store.transaction() as store:
            log_id = await store.task_log.open(NAME, user, MANUAL)
            targets = [Target(system.guid, system.id, system.name) for system in systems]
            subtasks = await store.subtasks.open(log_id, targets, segment="Progress")
            await store.task_log.add(log_id, f"task {task.name} ({task.type}) for {len(systems)} systems")
        now = self._clock.monotonic()
        return Action(log_id, task.name, subtasks, options.abort_minutes, options.quiet_seconds, now)

    async def _begin(self, action: Action, systems: Sequence[System], task: ClientTask, options: Options) -> None:
        """Refuse the systems that are not able and queue the request for the others. If the database does not do it
        the action has failed, which `look` says when it can."""
        try:
            able = await self._refuse_others(action, systems)
            if able:
                action.batch = await self._queue(action, able, task, options)
        except MiniepoError as error:
            action.failed = f"it could not be queued: {error}"
        if not action.batch:
            try:
                await self._tend(action)
            except StoreError as error:
                _logger.warning("%d is not queued, and nobody could be told so far: %s", action.log_id, error)

    async def _refuse_others(self, action: Action, systems: Sequence[System]) -> list[int]:
        """The numbers of the systems on which the task can be run."""
        able: list[int] = []
        by_id = {system.id: system for system in systems}
        for follow in action.follows.values():
            reason = why_not(by_id[follow.system_id or 0], self._epo_version)
            if reason:
                await self._apply(action, follow, Refused(reason))
            else:
                able.append(follow.system_id or 0)
        return able

    async def _queue(self, action: Action, able: Sequence[int], task: ClientTask, options: Options) -> str:
        request = RunTask(task=task, random_seconds=options.random_minutes * 60, stop_seconds=options.stop_minutes * 60)
        payload = msgspec.to_builtins(request)
        return await self._channel.send(
            able, PRODUCT, RUN_TASK, str(action.log_id), payload, options.abort_minutes * 60
        )

    async def _tend(self, action: Action) -> None:
        """End the subtasks that no report will end, and the entry that none is left of. Its lock is held."""
        if action.cancelled:
            await self._end(action)
        elif action.batch:
            await self._end_given_up(action)
            await self._end_lost(action)
        else:
            for follow in action.unsent():
                await self._apply(action, follow, Refused(action.failed))
        await self._close_if_over(action)

    async def _end(self, action: Action) -> None:
        if action.batch:
            await self._channel.withdraw(action.batch, f"cancelled by {action.cancelled}")
        for follow in action.follows.values():
            await self._apply(action, follow, Cancelled(action.cancelled))

    async def _end_given_up(self, action: Action) -> None:
        """End the subtasks whose request the queue has given up, or has delivered to an agent that says nothing."""
        unsent = action.unsent()
        if not unsent:
            return
        states = {state.target: state for state in await self._store.datachannel.batch(action.batch)}
        # the queue forgets its items with their systems, and those that it delivered after a while
        for follow in await self._gone([each for each in unsent if each.system_id not in states]):
            await self._apply(action, follow, Refused("the system is gone"))
        for follow in unsent:
            state = states.get(follow.system_id or 0)
            if state is None or state.outcome == "delivered":
                await self._end_silent(action, follow)
            elif state.outcome == "expired":
                await self._apply(action, follow, Expired(action.minutes))
            elif state.outcome == "failed":
                await self._apply(action, follow, Refused(state.message))

    async def _end_lost(self, action: Action) -> None:
        """End the subtasks of agents that have the request and say nothing any more, and of systems that are gone."""
        for follow in action.sent():
            await self._end_silent(action, follow)
        now = self._clock.monotonic()
        if now >= action.next_census:
            for follow in await self._gone(action.sent()):
                await self._apply(action, follow, Lost("the system is gone"))
            action.next_census = now + CENSUS_SECONDS

    async def _end_silent(self, action: Action, follow: Follow) -> None:
        patience = action.patience_seconds(follow)
        if self._clock.monotonic() - follow.heard > patience:
            await self._apply(action, follow, Lost(f"its agent has said nothing for {patience / 60:g} minutes"))

    async def _gone(self, follows: Sequence[Follow]) -> list[Follow]:
        """Those of them whose systems were deleted."""
        if not follows:
            return []
        there = await self._store.systems.present([each.system_id or 0 for each in follows])
        return [each for each in follows if each.system_id not in there]

    async def _apply(self, action: Action, follow: Follow, *events: Event) -> None:
        """What these events make of one system, in the database by one statement."""
        async with follow.lock:
            changes = changes_by(follow.segments, events)
            if changes:
                await self._record(follow.subtask_id, changes[-1].segments, [each.message for each in changes])
            for change in changes:
                action.take(follow, change.segments, change.message)

    async def _record(self, subtask_id: int, now: Segments, messages: Sequence[str]) -> None:
        lines = [message for message in messages if message]
        await self._store.subtasks.record(subtask_id, now.state, now.send, now.start, now.progress, now.percent, lines)

    async def _close_if_over(self, action: Action) -> None:
        """Close the entry once all has ended. What the database cannot do now does `look` later: whoever brought the
        last report has done its part."""
        state = action.outcome()
        if state is None or action.logging_end or action.logged_end:
            return
        action.logging_end = True
        try:
            await self._store.task_log.close(action.log_id, state)
            action.logged_end = True
        except StoreError as error:
            _logger.warning(
                "%d has ended as %s, which is not in the Server Task Log yet: %s", action.log_id, state, error
            )
        finally:
            action.logging_end = False

    async def _without_memory(self, log_id: int, guid: str, report: Report) -> None:
        """A report of an action that was before this life of the service."""
        subtask = await self._store.subtasks.of_agent(log_id, guid)
        of_this_kind = subtask is not None and subtask.send != ""  # other kinds of entries have subtasks too
        if subtask is None or not of_this_kind or not (report.status in FINAL or self._follow_after_restart):
            _logger.warning("nobody follows %s of %s any more: %s", log_id, guid, report.status)
            return
        change = receive(segments_of(subtask), Reported(report))
        await self._record(subtask.id, change.segments, [f"after a restart of the service: {change.message}"])

    def _forget_old(self) -> None:
        """Keep the memory of so many actions, the oldest that are over go first."""
        over = [id for id, action in self._actions.items() if action.logged_end]
        for id in over[: max(0, len(self._actions) - KEPT_ACTIONS)]:
            del self._actions[id]


def _read(guid: str, messages: Sequence[ChannelMessage]) -> Iterator[tuple[int, Report]]:
    """The CorrelationIds and reports of an agent's messages; what is no report is dropped aloud."""
    for message in messages:
        try:
            yield read_message(message)
        except MessageError as error:
            _logger.warning("%s: %s", guid, error)


def why_not(system: System, epo_version: str) -> str:
    """Why tasks cannot be run now on a system, "" if they can: ePO and agent have to be 4.6 or later (S2)."""
    if version.parse(epo_version) < SINCE:
        return f"ePO {epo_version} is older than 4.6"
    if system.guid is None:
        return "it has no agent"
    if not version.Behaviour.of(system.version or "").run_now:
        return f"agent {system.version or 'of unknown version'} is older than 4.6"
    return ""


def segments_of(subtask: Subtask) -> Segments:
    """The segments as the database has them."""
    names = {"state": subtask.state, "send": subtask.send, "start": subtask.start, "progress": subtask.progress}
    return msgspec.convert({**names, "percent": subtask.percent or 0}, Segments)
