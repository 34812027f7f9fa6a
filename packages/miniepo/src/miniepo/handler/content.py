"""Where a handler's content comes from: its own directory, and for a remote handler the master behind it.

A remote handler fetches what it lacks from the master and keeps it, with no configuration (domain §3.1). What it keeps
it asks the master about again, by ETag, because some files change in place (domain §3.3); when the master cannot be
reached it serves what it has. Only what the master has leaves a trace: a file arrives in a place of its own, and gets
its directories when it is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, urlsplit
from weakref import WeakValueDictionary

from miniepo import config, log
from miniepo.errors import CacheError, TransferError, UnreachableError
from miniepo.protocol.relay_session import Endpoint
from miniepo.wire.http_client import HttpConnection, Sink
from miniepo.wire.stream import connect, start_tls
from miniepo.wire.tls import client_context

_ARRIVING = ".arriving"
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
        self._arriving = root / _ARRIVING
        self._numbers = itertools.count()
        self._tls = client_context(tls.ca, tls.certificate, tls.key)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def file(self, relative: str) -> Path | None:
        """The file at a path below the root, fetched or renewed first; None if the master has none.

        Raises CacheError when the disk fails.
        """
        lock = self._locks.setdefault(relative, asyncio.Lock())
        async with lock:
            try:
                return await self._renewed(relative)
            except OSError as error:
                raise CacheError(f"{relative} cannot be kept: {error}") from error

    async def _renewed(self, relative: str) -> Path | None:
        path = self._root / relative
        try:
            status = await self._fetch(relative, path)
        except (UnreachableError, TransferError) as error:
            _logger.warning("the master does not give %s: %s", relative, error)
        else:
            if status == 404 and path.is_file():
                path.unlink()
                _etag_file(path).unlink(missing_ok=True)
        return path if path.is_file() else None

    async def _fetch(self, relative: str, path: Path) -> int:
        """Bring the file up to date; the master's status (200 new, 304 unchanged, 404 gone)."""
        etag = _known_etag(path)
        headers = [("If-None-Match", etag)] if etag else []
        async with self._connection() as connection:
            self._arriving.mkdir(parents=True, exist_ok=True)
            arriving = self._arriving / str(next(self._numbers))
            try:
                with arriving.open("wb") as opened:
                    target = f"/Software/{quote(relative)}"
                    answer = await connection.download("GET", target, _sink(opened, relative), b"", headers)
                if answer.expect(200, 304, 404).status == 200:
                    _keep(arriving, path, answer.headers.get("etag", ""))
            finally:
                arriving.unlink(missing_ok=True)
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


def _sink(opened: BinaryIO, relative: str) -> Sink:
    """Writes what comes; a full disk is no fault of the connection."""

    def take(data: bytes) -> None:
        try:
            opened.write(data)
        except OSError as error:
            raise CacheError(f"{relative} cannot be kept: {error}") from error

    return take


def _keep(arrived: Path, path: Path, etag: str) -> None:
    """Put a new file in its place in one step; a file or a directory in its way is none of the master's any more."""
    for parent in path.parents:
        if parent.is_file():
            parent.unlink()
    if path.is_dir():
        shutil.rmtree(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrived.replace(path)
    _etag_file(path).write_text(etag, encoding="utf-8")


def _etag_file(path: Path) -> Path:
    return path.with_name(f".{path.name}{_ETAG_SUFFIX}")


def _known_etag(path: Path) -> str:
    """The ETag that came with the file that lies here, "" if there is none."""
    file = _etag_file(path)
    return file.read_text(encoding="utf-8") if path.is_file() and file.is_file() else ""
