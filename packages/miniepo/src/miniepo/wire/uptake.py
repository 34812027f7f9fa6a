"""How fast a peer takes what is sent to it, by the kernel's count: what it has acknowledged, and whether more waits.

Buffers of this process say little about that: behind TLS the better part of them is out of sight.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from miniepo.patience import cancel_all

Result = TypeVar("Result")

LEAST_BYTES_PER_SECOND = 512
"""Who takes less, on the average of the time that it is given, is cut off: some 4 kbit/s."""
_ACKNOWLEDGED = struct.Struct("=120xQ")
"""`tcpi_bytes_acked` in Linux' `struct tcp_info`."""


@dataclass(frozen=True, slots=True)
class Uptake:
    """`taken` are the bytes that the peer has acknowledged so far; with `waits` there are others on their way."""

    taken: int
    waits: bool


Measure = Callable[[socket.socket], Uptake]


def uptake_of(connection: socket.socket) -> Uptake:
    """The uptake of a TCP connection; nothing waits on one that is gone."""
    try:
        (taken,) = _ACKNOWLEDGED.unpack(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _ACKNOWLEDGED.size))
        (waiting,) = struct.unpack("=i", fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4)))
    except (OSError, ValueError):
        return Uptake(0, waits=False)
    return Uptake(taken, waiting > 0)


class Watch:
    """Looks at a connection now and then, and says when its peer has taken too little for too long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._since: float | None = None
        self._taken = 0

    def is_stuck(self, now: float, seen: Uptake) -> bool:
        """Whether something has waited for the whole time, of which not enough was taken meanwhile."""
        if not seen.waits:
            self._since = None
        elif self._since is None or seen.taken - self._taken >= LEAST_BYTES_PER_SECOND * self._seconds:
            self._since, self._taken = now, seen.taken
        return self._since is not None and now - self._since > self._seconds


async def while_taken(
    work: Awaitable[Result], writer: asyncio.StreamWriter, seconds: float, measure: Measure = uptake_of
) -> Result:
    """What the work gives, which sends to a peer; TimeoutError, the work being cancelled, when that takes too little
    in any such span of time."""
    connection: socket.socket = writer.get_extra_info("socket")
    task = asyncio.ensure_future(work)
    try:
        taken = measure(connection).taken
        while not (await asyncio.wait({task}, timeout=seconds))[0]:
            before, taken = taken, measure(connection).taken
            if taken - before < LEAST_BYTES_PER_SECOND * seconds:
                raise TimeoutError("the peer takes too little of what is sent to it")
        return await task
    finally:
        await cancel_all([task])
