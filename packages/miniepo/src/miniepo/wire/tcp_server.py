"""A TCP server whose clients are plain streams: the listening half of the relay."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence

from miniepo.log import logger
from miniepo.wire.stream import Stream

Serve = Callable[[Stream], Awaitable[None]]

_LINE_LIMIT = 4096
_log = logger("wire.tcp")


class TcpServer:
    """Listens on one port, on every given address, and gives each connection to `serve`."""

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self, listen: Sequence[str], port: int) -> int:
        """Listen; the port in use comes back (of interest when 0 was asked for)."""
        self._server = await asyncio.start_server(self._accept, list(listen), port, limit=_LINE_LIMIT)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and drop what is connected."""
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def adopt(self, connected: socket.socket, first: bytes) -> None:
        """Serve a connection that another process accepted, and of which it has read this already."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(_LINE_LIMIT, loop)
        reader.feed_data(first)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, connected)
        await self._accept(reader, asyncio.StreamWriter(transport, protocol, reader, loop))

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        client = Stream(reader, writer)
        try:
            await self._serve(client)
        except (OSError, TimeoutError, ValueError) as error:
            _log.debug("connection ended: %s", error or type(error).__name__)
        finally:
            self._open.discard(task)
            client.abort()
