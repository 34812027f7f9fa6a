"""One UDP port for all who wait for answers at the same time: each gets every datagram, and knows its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from miniepo.wire.datagram import DatagramPort, Take


class Port(Protocol):
    """What a question needs of the port that its answers come to."""

    async def open(self, take: Take) -> None: ...

    def ask_segments(self, data: bytes, port: int) -> int: ...

    def close(self) -> None: ...


class AnswerPort:
    """The port: open for as long as anybody waits for answers."""

    def __init__(self, number: int, make: Callable[[int], Port] = DatagramPort) -> None:
        self._number = number
        self._make = make
        self._opening = asyncio.Lock()
        self._takes: list[Take] = []
        self._port: Port | None = None

    def seat(self) -> Seat:
        """A place for one more who waits."""
        return Seat(self)

    async def join(self, take: Take) -> Port:
        """Open the port, if nobody has it open; from now on `take` gets what comes."""
        async with self._opening:
            if self._port is None:
                port = self._make(self._number)
                await port.open(self._hand_out)
                self._port = port
            self._takes.append(take)
            return self._port

    def leave(self, take: Take) -> None:
        """Close the port, if nobody else waits."""
        self._takes.remove(take)
        if not self._takes and self._port is not None:
            self._port.close()
            self._port = None

    def _hand_out(self, data: bytes, source: str) -> None:
        for take in tuple(self._takes):
            take(data, source)


class Seat:
    """The port as one of those who wait has it."""

    def __init__(self, owner: AnswerPort) -> None:
        self._owner = owner
        self._take: Take | None = None
        self._port: Port | None = None

    async def open(self, take: Take) -> None:
        """Wait for answers."""
        self._port = await self._owner.join(take)
        self._take = take

    def ask_segments(self, data: bytes, port: int) -> int:
        """Send a question to every segment: how many sends the kernel took."""
        return self._port.ask_segments(data, port) if self._port is not None else 0

    def close(self) -> None:
        """Wait no longer."""
        if self._take is not None:
            self._owner.leave(self._take)
        self._take = self._port = None
