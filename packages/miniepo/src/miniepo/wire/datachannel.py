"""A handler's line to the server's authenticated port: mutual TLS with files that are looked at before every request.

Unlike elsewhere (`wire.tls`) the last good files do not stay in force: a certificate that is gone, or cannot be read,
stops the line at once, and one that was put back mends it at once. Connections are kept while the files stay, and for a
minute at most: a certificate that ends by time is noticed then.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from miniepo.clock import Clock, SystemClock
from miniepo.errors import ConfigError, TransferError
from miniepo.protocol.relay_session import Endpoint
from miniepo.wire.http_client import Answer, HttpConnection
from miniepo.wire.kept import Kept
from miniepo.wire.stream import connect, start_tls
from miniepo.wire.tls import TlsContext, client_context

_AT_A_TIME = 16
_CONNECT_SECONDS = 5.0
KEPT_SECONDS = 60.0
_JSON = (("Content-Type", "application/json"),)


class ServerLine:
    """Requests to one server, a few at a time: a handler must not take all of the server's connections."""

    def __init__(self, url: str, ca: str, certificate: str, key: str, clock: Clock | None = None) -> None:
        parts = urlsplit(url)
        self._endpoint = Endpoint(parts.hostname or "", parts.port or 443)
        self._files = (ca, certificate, key)
        self._stamps: object = None
        self._tls: TlsContext | None = None
        self._idle = Kept[HttpConnection](KEPT_SECONDS, clock or SystemClock())
        self._slots = asyncio.Semaphore(_AT_A_TIME)

    async def post(self, path: str, body: bytes) -> Answer:
        """The server's answer; raises ConfigError for unusable files, UnreachableError and TransferError."""
        async with self._slots:
            tls = await self._current()
            for old in self._idle.overdue():
                await old.close()
            while kept := self._idle.take():
                try:
                    return await self._ask(*kept, tls, path, body)
                except TransferError:
                    continue  # the server closes what is idle for long
            opened = self._idle.now()
            return await self._ask(await self._open(tls), opened, tls, path, body)

    async def close(self) -> None:
        """Drop the connections that are kept."""
        for connection in self._idle.all():
            await connection.close()

    async def _current(self) -> TlsContext:
        """TLS with the files as they are now; other files than before make new connections."""
        stamps = [_stamp(path) for path in self._files]
        if self._tls is None or stamps != self._stamps:
            self._tls = None
            await self.close()
            self._tls = client_context(*self._files)
            self._stamps = stamps
        return self._tls

    async def _open(self, tls: TlsContext) -> HttpConnection:
        stream = await connect(self._endpoint, _CONNECT_SECONDS)
        await start_tls(stream, tls, self._endpoint.host)
        return HttpConnection(stream, str(self._endpoint))

    async def _ask(self, connection: HttpConnection, opened: float, tls: TlsContext, path: str, body: bytes) -> Answer:
        try:
            answer = await connection.request("POST", path, body, _JSON)
        except BaseException:
            connection.stream.abort()
            raise
        if self._tls is tls and answer.headers.get("connection", "") != "close":
            self._idle.keep(connection, opened)
        else:
            await connection.close()
        return answer


def _stamp(path: str) -> tuple[int, int, int]:
    try:
        status = Path(path).stat()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    return (status.st_mtime_ns, status.st_ino, status.st_size)
