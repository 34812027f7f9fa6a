"""A request as a server sees it: where from, for what, and its body in pieces within a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

import h11

from miniepo.errors import TransferError

Pieces = Callable[[], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one server grants: bytes of a body, connections at once, seconds for the first bytes and without a byte.

    A request's head, and a body that is read as a whole, must be there within `idle_seconds`, however steadily they
    drip; only a body that its reader takes piece by piece may last.
    """

    body_bytes: int = 1024 * 1024
    connections: int = 64
    first_seconds: float = 5.0
    idle_seconds: float = 20.0


@dataclass(slots=True)
class Request:
    """One request; `path` is decoded and has no query, header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    peer: str
    pieces: Pieces = field(repr=False)
    patience_seconds: float = 20.0
    ended: bool = False

    @classmethod
    def read(cls, event: h11.Request, peer: str, pieces: Pieces, limits: Limits) -> Request:
        """The request of an h11 event."""
        path, _, query = event.target.decode("ascii", "replace").partition("?")
        headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
        return cls(event.method.decode(), unquote(path), query, headers, peer, pieces, limits.idle_seconds)

    async def piece(self) -> bytes | None:
        """The next piece of the body, None at its end."""
        if self.ended:
            return None
        data = await self.pieces()
        self.ended = data is None
        return data

    async def body(self, limit_bytes: int) -> bytes:
        """The whole body; TransferError if it is longer than the limit, TimeoutError if it takes too long."""
        collected = bytearray()
        async with asyncio.timeout(self.patience_seconds):
            while (data := await self.piece()) is not None:
                collected.extend(data)
                if len(collected) > limit_bytes:
                    raise TransferError(f"a body of more than {limit_bytes} bytes")
        return bytes(collected)

    async def drain(self, limit_bytes: int) -> None:
        """Read and forget what is left of the body, so that the connection can be kept."""
        left = limit_bytes
        async with asyncio.timeout(self.patience_seconds):
            while left >= 0 and (data := await self.piece()) is not None:
                left -= len(data)
        if left < 0:
            raise TransferError("the rest of a refused body is too long to be waited for")
