"""Work that runs behind a command or a schedule, with an entry of its own in the Server Task Log (domain §6.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from miniepo import log
from miniepo.errors import MiniepoError, StoreError
from miniepo.store.orion import TaskLog
from miniepo.store.subtasks import COMPLETED, ENDED, FAILED, IN_PROGRESS, PENDING_TERMINATION

Say = Callable[[str], Awaitable[None]]
Work = Callable[[Say], Awaitable[None]]
TakeBack = Callable[[], Awaitable[None]]
_logger = log.logger("server.jobs")


class Jobs:
    """Starts jobs, waits for them and cancels them by their log id."""

    def __init__(self, task_log: TaskLog) -> None:
        self._log = task_log
        self._running: dict[int, asyncio.Task[str]] = {}
        self._cancelled: set[int] = set()

    async def start(self, name: str, user: str, source: str, work: Work, take_back: TakeBack | None = None) -> int:
        """Run `work` in the background; the id of its log entry.

        `take_back` ends what the work has given to others when a user cancels it; a server that ends leaves it to them.
        """
        log_id = await self._log.open(name, user, source)
        task = asyncio.create_task(self._run(log_id, name, work, take_back))
        self._running[log_id] = task
        task.add_done_callback(lambda _: self._forget(log_id))
        return log_id

    def _forget(self, log_id: int) -> None:
        self._running.pop(log_id, None)
        self._cancelled.discard(log_id)

    async def wait(self, log_id: int, timeout_seconds: float | None = None) -> str:
        """The state at the end, or "In Progress" when the time is over first."""
        task = self._running.get(log_id)
        if task is not None:
            await asyncio.wait([task], timeout=timeout_seconds)
            return task.result() if task.done() and not task.cancelled() else IN_PROGRESS
        return await self._log.state(log_id)

    async def cancel(self, log_id: int) -> bool:
        """Ask a running job to end, once; False if it does not run. Until it has ended it is Pending Termination."""
        task = self._running.get(log_id)
        if task is None:
            return False
        await self._log.set_state(log_id, PENDING_TERMINATION)
        if log_id in self._cancelled:
            return True
        asked = task.cancel()
        if asked:
            self._cancelled.add(log_id)
        return asked

    async def cancel_all(self) -> None:
        """End everything, at the server's end."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, log_id: int, name: str, work: Work, take_back: TakeBack | None) -> str:
        async def say(message: str) -> None:
            _logger.info("%s: %s", name, message)
            await self._log.add(log_id, message)

        try:
            await work(say)
            state = COMPLETED
        except MiniepoError as error:
            state = FAILED
            await self._note(log_id, name, str(error))
        except asyncio.CancelledError:
            state = ENDED
            if take_back is not None and log_id in self._cancelled:
                await self._take_back(log_id, name, take_back)
        except Exception:
            _logger.exception("%s broke", name)
            state = FAILED
            await self._note(log_id, name, "an error of the program; the server's log has its traceback")
        await self._close(log_id, name, state)
        return state

    async def _take_back(self, log_id: int, name: str, take_back: TakeBack) -> None:
        try:
            await take_back()
        except MiniepoError as error:
            await self._note(log_id, name, f"what it had given to others could not be taken back: {error}")

    async def _note(self, log_id: int, name: str, message: str) -> None:
        _logger.warning("%s: %s", name, message)
        try:
            await self._log.add(log_id, message)
        except StoreError as error:
            _logger.warning("%s: not in the Server Task Log: %s", name, error)

    async def _close(self, log_id: int, name: str, state: str) -> None:
        try:
            await self._log.close(log_id, state)
        except StoreError as error:
            _logger.warning("%s ended as %s, which is not in the Server Task Log: %s", name, state, error)
