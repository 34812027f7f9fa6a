"""Bytes between two connections, both ways, until both sides are done or nothing moves any more.

The kernel moves them, from socket to pipe to socket, and they are never copied into this process. A pipe is held only
while something is in it, so that idle connections cost none.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from miniepo.patience import within
from miniepo.wire.stream import Stream

_CHUNK = 1024 * 1024
_PIPE_BYTES = 256 * 1024
_SPARE_PIPES = 8
_LINGER_SECONDS = 1.0
_FLAGS = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK
_spare: list[tuple[int, int]] = []


@dataclass(slots=True)
class Moved:
    """How many bytes went each way."""

    upstream: int = 0
    downstream: int = 0


async def splice(client: Stream, target: Stream, idle_seconds: float) -> Moved:
    """Forward until either side ends its connection or nothing moves for `idle_seconds`; then both are to be closed."""
    flow = _Flow(idle_seconds)
    with _Socket(client) as near, _Socket(target) as far:
        for stream in (client, target):
            stream.writer.transport.set_write_buffer_limits(0)
            await within(stream.writer.drain(), idle_seconds)
        up = asyncio.create_task(flow.pump(client, near, far, "upstream"))
        down = asyncio.create_task(flow.pump(target, far, near, "downstream"))
        try:
            _, pending = await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            if pending:
                await asyncio.wait(pending, timeout=_LINGER_SECONDS)
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
    return flow.moved


class _Socket:
    """A connection's socket under a number of its own, taken from its transport for good."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.number = -1

    def __enter__(self) -> _Socket:
        transport = self._stream.writer.transport
        transport.pause_reading()  # type: ignore[attr-defined]
        self.number = os.dup(transport.get_extra_info("socket").fileno())
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.number)

    def end(self) -> None:
        """Tell the peer that no more comes."""
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(self.number)) as same:
            same.shutdown(socket.SHUT_WR)

    async def readable(self) -> None:
        loop = asyncio.get_running_loop()
        await _signal(self.number, loop.add_reader, loop.remove_reader)

    async def writable(self) -> None:
        loop = asyncio.get_running_loop()
        await _signal(self.number, loop.add_writer, loop.remove_writer)


async def _signal(number: int, add: Callable[..., None], remove: Callable[[int], object]) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def now() -> None:
        if not ready.done():
            ready.set_result(None)

    add(number, now)
    try:
        await ready
    finally:
        remove(number)


class _Flow:
    """What moves between two sockets; either way keeps the pair alive."""

    def __init__(self, idle_seconds: float) -> None:
        self.moved = Moved()
        self._idle_seconds = idle_seconds

    async def pump(self, source: Stream, taken: _Socket, sink: _Socket, way: str) -> None:
        """Move one way until it ends, or nothing has moved either way for too long."""
        try:
            await self._send_early(source, sink, way)
            while await self._move(taken, sink, way):
                pass
            sink.end()
        except (OSError, TimeoutError):
            return

    async def _send_early(self, source: Stream, sink: _Socket, way: str) -> None:
        """What the source's transport had read before its socket was taken."""
        while data := await _already_read(source):
            left = memoryview(data)
            while left:
                try:
                    sent = os.write(sink.number, left)
                except BlockingIOError:
                    await self._patiently(sink.writable)
                    continue
                left = left[sent:]
                self._count(way, sent)

    async def _move(self, source: _Socket, sink: _Socket, way: str) -> bool:
        """Move what there is, once there is something; False at the end."""
        await self._patiently(source.readable)
        reading, writing = pipe = _spare.pop() if _spare else _make_pipe()
        inside = 0
        try:
            while True:
                inside = os.splice(source.number, writing, _CHUNK, flags=_FLAGS)
                if not inside:
                    return False
                while inside:
                    inside -= await self._pour(reading, sink, inside, way)
        except BlockingIOError:
            return True
        finally:
            _put_away(pipe, empty=not inside)

    async def _pour(self, reading: int, sink: _Socket, count: int, way: str) -> int:
        while True:
            try:
                poured = os.splice(reading, sink.number, count, flags=_FLAGS)
            except BlockingIOError:
                await self._patiently(sink.writable)
            else:
                self._count(way, poured)
                return poured

    def _count(self, way: str, count: int) -> None:
        if way == "upstream":
            self.moved.upstream += count
        else:
            self.moved.downstream += count

    async def _patiently(self, ready: Callable[[], object]) -> None:
        """Wait for a socket as long as something moves, whichever way; TimeoutError otherwise."""
        while True:
            before = (self.moved.upstream, self.moved.downstream)
            try:
                await within(ready(), self._idle_seconds)  # type: ignore[arg-type]
            except TimeoutError:
                if before == (self.moved.upstream, self.moved.downstream):
                    raise
            else:
                return


async def _already_read(source: Stream) -> bytes:
    """What a paused reader has in memory, without waiting for more."""
    try:
        async with asyncio.timeout(0):
            return await source.reader.read(_CHUNK)
    except TimeoutError:
        return b""


def _make_pipe() -> tuple[int, int]:
    """A pipe that does not block; a larger one than usual where the kernel grants it."""
    reading, writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    with contextlib.suppress(OSError):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return reading, writing


def _put_away(pipe: tuple[int, int], *, empty: bool) -> None:
    if empty and len(_spare) < _SPARE_PIPES:
        _spare.append(pipe)
        return
    for number in pipe:
        os.close(number)
