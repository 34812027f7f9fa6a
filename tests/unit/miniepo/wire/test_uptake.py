"""Who takes nothing, or next to nothing, of what is sent to it is told from who is slow."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import pytest

from miniepo.wire.uptake import LEAST_BYTES_PER_SECOND, Uptake, Watch, uptake_of, while_taken

SECONDS = 30.0
PLENTY = 16 << 20


def test_nothing_that_waits_is_nothing_to_watch() -> None:
    watch = Watch(SECONDS)
    assert not any(watch.is_stuck(now, Uptake(0, waits=False)) for now in (0.0, 100.0, 200.0))


def test_who_takes_nothing_is_stuck_when_the_time_is_over() -> None:
    watch = Watch(SECONDS)
    assert [watch.is_stuck(now, Uptake(7, waits=True)) for now in (0.0, 30.0, 30.1)] == [False, False, True]


def test_who_takes_a_byte_now_and_then_is_stuck_and_who_takes_enough_is_not() -> None:
    drip, slow = Watch(SECONDS), Watch(SECONDS)
    times = range(40)
    assert any(drip.is_stuck(float(now), Uptake(now, waits=True)) for now in times)
    assert not any(slow.is_stuck(float(now), Uptake(now * LEAST_BYTES_PER_SECOND, waits=True)) for now in times)


def test_a_pause_without_anything_to_take_begins_the_time_anew() -> None:
    watch = Watch(SECONDS)
    seen = [(0.0, True), (29.0, True), (29.5, False), (31.0, True), (60.0, True), (61.5, True)]
    assert [watch.is_stuck(now, Uptake(0, waits)) for now, waits in seen] == [False] * 5 + [True]


@pytest.fixture(name="pair")
def pair_fixture() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listening, contextlib.ExitStack() as opened:
        ours = opened.enter_context(socket.create_connection(listening.getsockname()))
        yield ours, opened.enter_context(listening.accept()[0])


def test_the_kernel_counts_what_is_taken_and_what_waits(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    before = uptake_of(ours).taken
    ours.sendall(b"x" * 1000)
    assert len(theirs.recv(1000, socket.MSG_WAITALL)) == 1000
    assert uptake_of(ours) == Uptake(before + 1000, waits=False)
    ours.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            ours.send(b"x" * 65536)
    assert uptake_of(ours).waits
    ours.close()
    assert uptake_of(ours) == Uptake(0, waits=False)


async def sent(pair: tuple[socket.socket, socket.socket], seconds: float, reads: bool) -> None:
    """Send plenty to a peer that reads, or does not."""
    ours, theirs = pair
    _, writer = await asyncio.open_connection(sock=ours)
    reading = asyncio.create_task(asyncio.to_thread(_read_all, theirs)) if reads else None
    try:
        writer.write(b"x" * PLENTY)
        await while_taken(writer.drain(), writer, seconds)
    finally:
        writer.transport.abort()
        if reading is not None:
            await reading


def _read_all(theirs: socket.socket) -> None:
    with contextlib.suppress(ConnectionError):
        while theirs.recv(65536):
            pass


def test_sending_ends_when_the_peer_takes_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(TimeoutError, match="takes too little"):
        asyncio.run(sent(pair, 0.2, reads=False))
    asyncio.run(asyncio.sleep(0))


def test_sending_goes_on_while_the_peer_takes_it(pair: tuple[socket.socket, socket.socket]) -> None:
    asyncio.run(sent(pair, 5.0, reads=True))
