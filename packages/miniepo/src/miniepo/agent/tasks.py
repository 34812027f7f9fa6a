"""Runs client tasks one at a time, by schedule or on demand, and notes how they went until a handler has it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from miniepo.agent import scan
from miniepo.agent.enforcement import Enforcer
from miniepo.agent.state import StateDirectory
from miniepo.agent.update import Updater
from miniepo.clock import Clock, Entropy
from miniepo.errors import MiniepoError, TaskError
from miniepo.log import logger
from miniepo.protocol import task_settings
from miniepo.protocol.messages import ClientTask, TaskStatus
from miniepo.protocol.task_settings import ScanTask, UpdateTask

MAX_STATUSES = 100
DEFAULT_EVERY_SECONDS = 86_400.0
MAX_EVERY_SECONDS = 1e12
"""A whole number in a schedule may be bigger than any float."""
_IDLE_SECONDS = 1.0

_log = logger("agent.tasks")
Status = Literal["succeeded", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task's run ended."""

    status: Status
    text: str

    @property
    def line(self) -> str:
        """In one line; what did not succeed begins with the word for it."""
        return self.text if self.status == "succeeded" else f"{self.status}: {self.text}"


class Watcher(Protocol):
    """Who is told when a run begins and how far it is."""

    def begins(self) -> None: ...

    def progressed(self, percent: int, text: str) -> None: ...


class Unwatched:
    """Nobody looks: runs by schedule and by hand."""

    def begins(self) -> None:
        pass

    def progressed(self, percent: int, text: str) -> None:
        pass


def every_seconds(task: ClientTask) -> float:
    """A task's interval; at least a second, a day where the schedule does not say."""
    value = task.schedule.get("every_seconds", DEFAULT_EVERY_SECONDS)
    return max(1.0, float(min(value, MAX_EVERY_SECONDS))) if isinstance(value, int | float) else DEFAULT_EVERY_SECONDS


def choose_due(tasks: tuple[ClientTask, ...], last_run: Mapping[str, float], now: float) -> ClientTask | None:
    """The task that has waited longest beyond its time, if any; one that never ran is due at once."""
    waits = {task.id: now - last_run.get(task.id, float("-inf")) - every_seconds(task) for task in tasks}
    due = [task for task in tasks if waits[task.id] >= 0]
    return max(due, key=lambda task: waits[task.id], default=None)


class TaskRunner:
    """One task at a time."""

    def __init__(
        self,
        state: StateDirectory,
        enforcer: Enforcer,
        updater: Updater,
        clock: Clock,
        entropy: Entropy,
        done: Callable[[], None],
    ) -> None:
        self._state = state
        self._enforcer = enforcer
        self._updater = updater
        self._clock = clock
        self._entropy = entropy
        self._done = done
        self._last_run: dict[str, float] = {}
        self._running = asyncio.Lock()

    async def loop(self) -> None:
        """Run what is due, for ever."""
        while True:
            task = choose_due(self._state.tasks.tasks, self._last_run, self._clock.monotonic())
            if task is None:
                await asyncio.sleep(_IDLE_SECONDS)
                continue
            await self.run(task)

    @property
    def busy(self) -> bool:
        """Whether a task runs: the next one waits for it."""
        return self._running.locked()

    async def run(self, task: ClientTask) -> Outcome:
        """Run one task now; how it went."""
        self._last_run[task.id] = self._clock.monotonic()
        return await self.run_watched(task, self._entropy.nonce(), Unwatched())

    async def run_watched(self, task: ClientTask, run_id: str, watcher: Watcher, stop_seconds: float = 0) -> Outcome:
        """Run one task when its turn comes, at most `stop_seconds` long (0 = as long as it takes)."""
        async with self._running:
            watcher.begins()
            outcome = await self._within(stop_seconds, task, watcher)
        level = logging.INFO if outcome.status == "succeeded" else logging.WARNING
        _log.log(level, "task %s (run %s) %s: %s", task.name, run_id, outcome.status, outcome.text)
        try:
            self._note(task, run_id, outcome)
        except OSError as error:  # a full disk, for example, changes nothing about how it went
            _log.error("how task %s went could not be noted: %s", task.name, error)
        return outcome

    async def _within(self, stop_seconds: float, task: ClientTask, watcher: Watcher) -> Outcome:
        deadline = asyncio.timeout(stop_seconds or None)
        try:
            async with deadline:
                return Outcome("succeeded", await self._work(task, watcher))
        except (MiniepoError, OSError) as error:
            failure = str(error)
        except Exception as error:  # one task that breaks must end neither the others nor the agent
            _log.exception("task %s broke", task.name)
            failure = f"the agent broke at it: {type(error).__name__}; its log has the traceback"
        if deadline.expired():
            return Outcome("stopped", f"after {stop_seconds:g} seconds")
        return Outcome("failed", failure)

    async def _work(self, task: ClientTask, watcher: Watcher) -> str:
        match task.type:
            case "update":
                wanted = task_settings.read(task.settings, UpdateTask)
                return (await self._updater.run(self._enforcer.settings.update, wanted)).text
            case "scan":
                return await scan.scan(task_settings.read(task.settings, ScanTask), watcher.progressed)
        raise TaskError(f"tasks of type {task.type} are not for this agent")

    def _note(self, task: ClientTask, run_id: str, outcome: Outcome) -> None:
        noted = TaskStatus(
            guid=self._state.registration.guid,
            task_id=task.id,
            run_id=run_id,
            status="succeeded" if outcome.status == "succeeded" else "failed",
            text=outcome.text[:500],
            at=self._clock.now(),
        )
        self._state.statuses = (*self._state.statuses, noted)[-MAX_STATUSES:]
        self._done()
