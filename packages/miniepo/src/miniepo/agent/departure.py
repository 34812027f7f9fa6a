"""How an agent ends when it is told to: SIGTERM and SIGHUP (reload: its service starts it again) let it say goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from miniepo.log import logger
from miniepo.patience import within

GOODBYE_SECONDS = 3.0
"""A service supervisor kills after a few seconds more (runit: 7, docker: 10)."""
_AGAIN_SECONDS = 1.0
_log = logger("agent.departure")


async def live(
    life: Coroutine[Any, Any, None], goodbye: Callable[[], Awaitable[None]], seconds: float = GOODBYE_SECONDS
) -> None:
    """Run until `life` ends or a signal comes; then say goodbye beside it, for `seconds` at most, and end it."""
    told, others = asyncio.Event(), asyncio.all_tasks()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    living, waiting = asyncio.create_task(life), asyncio.create_task(told.wait())
    await asyncio.wait([living, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not living.done():
        await _say(goodbye, seconds)
        await _end(living, others)
    with contextlib.suppress(asyncio.CancelledError):
        await living


async def _end(living: asyncio.Task[None], others: set[asyncio.Task[Any]]) -> None:
    """Cancel until it has ended: one cancellation may be lost in a wait that is over at that very moment (asyncio's
    `wait_for` before Python 3.12), and what swallowed it would run for ever."""
    living.cancel()
    while not (await asyncio.wait([living], timeout=_AGAIN_SECONDS))[0]:
        for task in asyncio.all_tasks() - others:
            task.cancel()


async def _say(goodbye: Callable[[], Awaitable[None]], seconds: float) -> None:
    try:
        await within(goodbye(), seconds)
    except TimeoutError:
        _log.warning("not everything could be said in time; what is left goes out after the next start")
