"""Runs the assigned client tasks on their schedules and notes how they went until a handler has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal

from miniepo.agent.enforcement import Enforcer
from miniepo.agent.state import StateDirectory
from miniepo.agent.update import Updater
from miniepo.clock import Clock, Entropy
from miniepo.errors import MiniepoError
from miniepo.log import logger
from miniepo.protocol.messages import ClientTask, TaskStatus

MAX_STATUSES = 100
DEFAULT_EVERY_SECONDS = 86_400.0
_IDLE_SECONDS = 1.0

_log = logger("agent.tasks")
Status = Literal["started", "progress", "succeeded", "failed"]


def every_seconds(task: ClientTask) -> float:
    """A task's interval; at least a second, a day where the schedule does not say."""
    value = task.schedule.get("every_seconds", DEFAULT_EVERY_SECONDS)
    return max(1.0, float(value)) if isinstance(value, int | float) else DEFAULT_EVERY_SECONDS


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

    async def run(self, task: ClientTask) -> str:
        """Run one task now; how it went, in one line."""
        async with self._running:
            self._last_run[task.id] = self._clock.monotonic()
            run_id = self._entropy.nonce()
            try:
                text = await self._work(task)
            except (MiniepoError, OSError) as error:
                _log.warning("task %s failed: %s", task.name, error)
                self._note(task, run_id, "failed", str(error))
                return f"failed: {error}"
            _log.info("task %s: %s", task.name, text)
            self._note(task, run_id, "succeeded", text)
            return text

    async def _work(self, task: ClientTask) -> str:
        if task.type != "update":
            return f"tasks of type {task.type} are not for this agent"
        outcome = await self._updater.run(self._enforcer.settings.update, task.settings)
        return outcome.text

    def _note(self, task: ClientTask, run_id: str, status: Status, text: str) -> None:
        guid = self._state.registration.guid
        noted = TaskStatus(
            guid=guid, task_id=task.id, run_id=run_id, status=status, text=text[:500], at=self._clock.now()
        )
        self._state.statuses = (*self._state.statuses, noted)[-MAX_STATUSES:]
        self._done()
