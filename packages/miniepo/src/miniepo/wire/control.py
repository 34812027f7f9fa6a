"""A UNIX socket through which people and tests on the node talk to a running process: one JSON line each way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from miniepo.errors import UnreachableError
from miniepo.log import logger
from miniepo.patience import within

Answer = Callable[[bytes], Awaitable[bytes]]

_LIMIT = 1024 * 1024
"""More than one argument of a command line may have, each character written as six."""
_log = logger("wire.control")


class ControlSocket:
    """Listens at a path that only the owner may use."""

    def __init__(self, path: Path, answer: Answer) -> None:
        self._path = path
        self._answer = answer
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self._path), limit=_LIMIT)
        self._path.chmod(0o600)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await within(reader.readline(), 5.0)
            writer.write(await self._answer(line))
            await writer.drain()
        except (OSError, TimeoutError, ValueError) as error:
            _log.warning("control request dropped: %s", error)
        finally:
            writer.close()


async def ask(path: Path, line: bytes, timeout_seconds: float) -> bytes:
    """The answer of the process that listens at `path`."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(path), limit=_LIMIT)
    except OSError as error:
        raise UnreachableError(f"{path}: {error.strerror}; is the agent running?") from error
    try:
        writer.write(line)
        return await within(reader.readline(), timeout_seconds)
    except TimeoutError as error:
        raise UnreachableError(f"{path}: no answer within {timeout_seconds:g} s") from error
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
