"""How thousands of loops run beside each other and end together, whatever one of them is in the middle of."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from miniepo.patience import cancel_all


async def run_all(loops: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run until one of them fails or this is cancelled; when it returns or raises, all of them have ended."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        await cancel_all(tasks)
