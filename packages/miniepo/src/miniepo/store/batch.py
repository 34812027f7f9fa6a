"""What comes in at about the same time goes to the database together: one statement for many callers.

Nobody waits for a batch to fill: the first caller's statement goes out at once, and whatever comes while it is under
way goes out with the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

from miniepo.errors import DatabaseUnavailableError

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST = 128


class Batch(Generic[Item, Result]):
    """Callers of one kind. `run` gives a result for each item, in order; items of one `key` never go together.

    At most `most` items go together, and `at_once` statements are under way at a time.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        key: Callable[[Item], Hashable],
        most: int = MOST,
        at_once: int = 1,
    ) -> None:
        self._run = run
        self._key = key
        self._most = most
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._at_once = at_once
        self._working: list[asyncio.Task[None]] = []

    async def submit(self, item: Item) -> Result:
        """This item's result; raises StoreError."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        # whoever is done has looked for the last time, also when nobody was told yet
        self._working = [task for task in self._working if not task.done()]
        if len(self._working) < self._at_once:
            self._working.append(asyncio.create_task(self._work()))
        return await future

    async def _work(self) -> None:
        while self._waiting:
            taken = self._take()
            try:
                await self._answer(taken)
            except asyncio.CancelledError:
                for _, future in taken:
                    future.cancel()
                raise

    def _take(self) -> list[tuple[Item, asyncio.Future[Result]]]:
        """The next to go together; of several with one key the first goes, the others stay in their order."""
        taken: dict[Hashable, tuple[Item, asyncio.Future[Result]]] = {}
        left: list[tuple[Item, asyncio.Future[Result]]] = []
        for entry in self._waiting:
            key = self._key(entry[0])
            if key in taken or len(taken) >= self._most:
                left.append(entry)
            else:
                taken[key] = entry
        self._waiting = left
        return list(taken.values())

    async def _answer(self, taken: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        """Run them together; if that is refused or breaks, each alone, so that only whose fault it is hears of it."""
        try:
            results = await self._run([item for item, _ in taken])
        except DatabaseUnavailableError as error:
            self._fail(taken, error)
        except Exception as error:  # a mistake of the program too belongs to its caller, who would wait for ever
            if len(taken) == 1:
                self._fail(taken, error)
            else:
                await asyncio.gather(*(self._answer([entry]) for entry in taken))
        else:
            for (_, future), result in zip(taken, results, strict=True):
                if not future.done():
                    future.set_result(result)

    def _fail(self, taken: Sequence[tuple[Item, asyncio.Future[Result]]], error: Exception) -> None:
        for _, future in taken:
            if not future.done():
                future.set_exception(error)
