"""Where a handler's content comes from: its own directory, and for a remote handler the master behind it.

A remote handler fetches what it lacks from the master and keeps it, with no configuration (domain §3.1). What it keeps
it asks the master about again, by ETag, because some files change in place (domain §3.3); when the master cannot be
reached it serves what it has.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, urlsplit
from weakref import WeakValueDictionary

from miniepo import config, log
from miniepo.errors import TransferError, UnreachableError
from miniepo.protocol.relay_session import Endpoint
from miniepo.wire.http_client import Answer, HttpConnection
from miniepo.wire.stream import connect, start_tls
from miniepo.wire.tls import client_context

_ETAG_SUFFIX = ".etag"
_logger = log.logger("handler.content")


class LocalContent:
    """The master repository's own directory."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def file(self, relative: str) -> Path | None:
        """The file at a path below the root, or None."""
        path = self._root / relative
        return path if path.is_file() else None


class CachedContent:
    """A cache in front of the master's `/Software/`."""

    def __init__(self, root: Path, master_url: str, tls: config.Tls) -> None:
        parts = urlsplit(master_url)
        self._secure = parts.scheme == "https"
        self._endpoint = Endpoint(parts.hostname or "", parts.port or (443 if self._secure else 80))
        self._root = root
        self._tls = client_context(tls.ca, tls.certificate, tls.key)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def file(self, relative: str) -> Path | None:
        """The file at a path below the root, fetched or renewed first; None if the master has none."""
        lock = self._locks.setdefault(relative, asyncio.Lock())
        async with lock:
            return await self._renewed(relative)

    async def _renewed(self, relative: str) -> Path | None:
        path = self._root / relative
        try:
            status = await self._fetch(relative, path)
        except (UnreachableError, TransferError) as error:
            _logger.warning("the master does not give %s: %s", relative, error)
            return path if path.is_file() else None
        if status == 404:
            path.unlink(missing_ok=True)
            _etag_file(path).unlink(missing_ok=True)
            return None
        return path

    async def _fetch(self, relative: str, path: Path) -> int:
        """Bring the file up to date; the master's status (200 new, 304 unchanged, 404 gone)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        etag = _known_etag(path)
        headers = [("If-None-Match", etag)] if etag else []
        partial = path.with_name(f".{path.name}.part")
        async with self._connection() as connection:
            with partial.open("wb") as sink:
                answer = await connection.download("GET", f"/Software/{quote(relative)}", sink.write, b"", headers)
            _keep(answer.expect(200, 304, 404), partial, path)
        return answer.status

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[HttpConnection]:
        stream = await connect(self._endpoint)
        if self._secure:
            await start_tls(stream, self._tls, self._endpoint.host)
        connection = HttpConnection(stream, str(self._endpoint))
        try:
            yield connection
        finally:
            await connection.close()


def _keep(answer: Answer, partial: Path, path: Path) -> None:
    """Put a new file in its place in one step; drop the body of any other answer."""
    if answer.status == 200:
        partial.replace(path)
        _etag_file(path).write_text(answer.headers.get("etag", ""), encoding="utf-8")
    else:
        partial.unlink(missing_ok=True)


def _etag_file(path: Path) -> Path:
    return path.with_name(f".{path.name}{_ETAG_SUFFIX}")


def _known_etag(path: Path) -> str:
    """The ETag that came with the file that lies here, "" if there is none."""
    file = _etag_file(path)
    return file.read_text(encoding="utf-8") if path.is_file() and file.is_file() else ""
