"""Waiting for something no longer than a time, and hearing every cancellation meanwhile.

`asyncio.wait_for` before Python 3.12 takes a cancellation that comes at the very moment at which the wait is over for
the end of the wait, and what was told to end goes on for ever. It is used nowhere in this package.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any, TypeVar

Result = TypeVar("Result")

AGAIN_SECONDS = 0.5


async def within(work: Awaitable[Result], seconds: float | None) -> Result:
    """What the work gives; TimeoutError, the work being cancelled, when it takes longer (None: as long as it takes).

    Work that is done at once is taken however short the time is. The work runs in the caller's own task.
    """
    async with asyncio.timeout(seconds):
        return await work


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel until all have ended: what others wrote may lose a cancellation that comes when a wait of it is over."""
    tasks = list(tasks)
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
