"""Keeps the wake-up port open where policy wants it, and moves it when policy moves it."""

from __future__ import annotations

from collections.abc import Sequence

from miniepo.log import logger
from miniepo.wire.http_server import Divert, Handle, HttpServer

_log = logger("agent.listener")


class Listener:
    """The server on the wake-up port; port 0 means closed."""

    def __init__(self, handle: Handle, listen: Sequence[str], divert: Divert | None = None) -> None:
        self._handle = handle
        self._divert = divert
        self._listen = listen
        self._server: HttpServer | None = None
        self._port = 0

    async def follow(self, port: int) -> None:
        """Listen on this port from now on; if that cannot be, the old one stays open and the next call tries again."""
        if port == self._port:
            return
        fresh = HttpServer(self._handle, divert=self._divert) if port else None
        try:
            if fresh is not None:
                await fresh.start(self._listen, port)
        except (OSError, OverflowError) as error:
            _log.error("wake-up port %d: %s", port, error)
            return
        await self.close()
        self._server, self._port = fresh, port
        _log.info("wake-up port is %d", port)

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            await self._server.close()
        self._server, self._port = None, 0
