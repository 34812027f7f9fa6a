"""Handing a connection over to another process of the node, with what was read of it already.

A port that two processes serve is one process' own: it looks at a connection's first bytes and hands over what is the
other's. The socket itself goes, so that this process has no part in it any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable

from miniepo.log import logger
from miniepo.patience import within

RELAY = "\0miniepo-cmamesh"
"""Where the relay takes connections: an abstract name, which every network namespace has for itself."""
MOST_BYTES = 64 * 1024
_SECONDS = 2.0
_WAITING = 64

Take = Callable[[socket.socket, bytes], Awaitable[None]]
_log = logger("wire.handover")


def hand_over(writer: asyncio.StreamWriter, first: bytes, name: str = RELAY) -> bool:
    """Give a connection away; False if nobody takes it. The caller closes its own end of it, which ends nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as way:
        way.setblocking(False)
        try:
            way.connect(name)
            socket.send_fds(way, [first[:MOST_BYTES]], [writer.get_extra_info("socket").fileno()])
        except OSError as error:
            _log.debug("not handed over: %s", error)
            return False
    return True


class Taker:
    """Takes connections that another process hands over, and gives each to `take`."""

    def __init__(self, take: Take, name: str = RELAY) -> None:
        self._take = take
        self._name = name
        self._socket: socket.socket | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Listen; raises OSError if another process does."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        self._socket.bind(self._name)
        self._socket.listen(_WAITING)
        self._spawn(self._accept_for_ever(self._socket))

    async def close(self) -> None:
        """Stop listening, and drop what was taken."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept_for_ever(self, listening: socket.socket) -> None:
        while True:
            way, _ = await asyncio.get_running_loop().sock_accept(listening)
            self._spawn(self._receive(way))

    async def _receive(self, way: socket.socket) -> None:
        with way:
            try:
                await within(_readable(way), _SECONDS)
                first, numbers, _, _ = socket.recv_fds(way, MOST_BYTES, 1)
            except (OSError, TimeoutError) as error:
                _log.debug("nothing was handed over: %s", error or type(error).__name__)
                return
        for number in numbers:
            taken = socket.socket(fileno=number)
            taken.setblocking(False)
            await self._take(taken, first)


async def _readable(way: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def now() -> None:
        with contextlib.suppress(asyncio.InvalidStateError):
            ready.set_result(None)

    loop.add_reader(way.fileno(), now)
    try:
        await ready
    finally:
        loop.remove_reader(way.fileno())
