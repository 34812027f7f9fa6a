"""Bytes between two connections, both ways, until both sides are done or nothing moves any more."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from miniepo.wire.stream import Stream

_CHUNK = 64 * 1024
_LINGER_SECONDS = 1.0


@dataclass(slots=True)
class Moved:
    """How many bytes went each way."""

    upstream: int = 0
    downstream: int = 0


async def splice(client: Stream, target: Stream, idle_seconds: float) -> Moved:
    """Forward until either side ends its connection or nothing moves for `idle_seconds`; then both are to be closed."""
    moved = Moved()
    up = asyncio.create_task(_pump(client, target, idle_seconds))
    down = asyncio.create_task(_pump(target, client, idle_seconds))
    _, pending = await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
    if pending:
        await asyncio.wait(pending, timeout=_LINGER_SECONDS)
    for task in (up, down):
        task.cancel()
    results = await asyncio.gather(up, down, return_exceptions=True)
    moved.upstream, moved.downstream = (result if isinstance(result, int) else 0 for result in results)
    return moved


async def _pump(source: Stream, sink: Stream, idle_seconds: float) -> int:
    """Copy one direction until it ends; the count of bytes."""
    count = 0
    try:
        while data := await asyncio.wait_for(source.reader.read(_CHUNK), idle_seconds):
            sink.writer.write(data)
            await asyncio.wait_for(sink.writer.drain(), idle_seconds)
            count += len(data)
        if sink.writer.can_write_eof():
            sink.writer.write_eof()
    except (OSError, TimeoutError):
        return count
    return count
