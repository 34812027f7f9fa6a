"""Bytes between two connections over real sockets: whole, both ways, alive while either way moves, ended together."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from miniepo.wire.splice import Moved, splice
from miniepo.wire.stream import Stream

pytestmark = pytest.mark.integration

PATIENCE_SECONDS = 20.0
MEGABYTES = 24
SPARE_FILES = 16
"""Eight pipes are kept for the next connections."""


@dataclass
class Joined:
    """The outer ends of two spliced connections, and the splice."""

    client: Stream
    site: Stream
    task: asyncio.Task[Moved]

    async def moved(self) -> Moved:
        return await asyncio.wait_for(self.task, PATIENCE_SECONDS)


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Stream, Stream]]:
    """Both ends of a TCP connection."""
    accepted: asyncio.Queue[Stream] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait(Stream(reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    outer = Stream(*await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1]))
    inner = await accepted.get()
    try:
        yield outer, inner
    finally:
        outer.abort()
        inner.abort()
        server.close()


@asynccontextmanager
async def joined(idle_seconds: float = 5.0) -> AsyncIterator[Joined]:
    async with pair() as (client, near), pair() as (site, far):
        client.writer.write(b"!early ")
        assert await near.reader.readexactly(1) == b"!", "the rest is in the reader's memory now"
        task = asyncio.create_task(splice(near, far, idle_seconds))
        try:
            yield Joined(client, site, task)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def read_all(stream: Stream) -> bytes:
    return await asyncio.wait_for(stream.reader.read(-1), PATIENCE_SECONDS)


def test_everything_arrives_in_order_both_ways_and_what_was_read_before_too() -> None:
    async def run() -> None:
        block = os.urandom(1_000_000)
        async with joined() as ends:

            async def send(stream: Stream) -> None:
                for _ in range(MEGABYTES):
                    stream.writer.write(block)
                    await stream.writer.drain()
                stream.writer.write_eof()

            up, down, at_site, at_client = await asyncio.gather(
                send(ends.client), send(ends.site), read_all(ends.site), read_all(ends.client)
            )
            whole = hashlib.sha256(block * MEGABYTES).digest()
            assert (up, down) == (None, None)
            assert at_site.startswith(b"early ") and hashlib.sha256(at_site[6:]).digest() == whole
            assert hashlib.sha256(at_client).digest() == whole
            assert await ends.moved() == Moved(6 + MEGABYTES * len(block), MEGABYTES * len(block))

    asyncio.run(run())


def test_a_long_download_is_not_cut_off_because_its_client_says_nothing() -> None:
    async def run() -> None:
        async with joined(idle_seconds=0.3) as ends:
            reading = asyncio.create_task(read_all(ends.client))
            for _ in range(12):
                ends.site.writer.write(b"drop ")
                await asyncio.sleep(0.1)
            ends.site.writer.write_eof()
            assert await reading == b"drop " * 12
            assert (await ends.moved()).downstream == 60

    asyncio.run(run())


def test_when_nothing_moves_it_ends() -> None:
    async def run() -> None:
        async with joined(idle_seconds=0.2) as ends:
            assert await ends.moved() == Moved(6, 0)

    asyncio.run(run())


def test_when_one_side_ends_it_ends_with_what_was_on_the_way() -> None:
    async def run() -> None:
        async with joined() as ends:
            ends.site.writer.write(b"last words")
            await ends.site.close()
            assert await read_all(ends.client) == b"last words"
            assert (await ends.moved()).downstream == 10

    asyncio.run(run())


def test_a_connection_that_breaks_ends_it_and_leaves_no_file_open() -> None:
    async def run() -> None:
        async with joined() as ends:
            ends.site.writer.write(bytes(8_000_000))
            ends.client.abort()
            await ends.moved()

    asyncio.run(run())
    before = open_files()
    for _ in range(20):
        asyncio.run(run())
    assert open_files() <= before + SPARE_FILES


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
