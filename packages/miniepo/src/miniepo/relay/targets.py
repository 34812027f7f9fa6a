"""Where a relay may connect to: the sites of its own SiteList.xml, read again when the file changes."""

from __future__ import annotations

import asyncio
from pathlib import Path

from miniepo.clock import Clock
from miniepo.errors import SiteListError, UnreachableError
from miniepo.log import logger
from miniepo.protocol import relay_session, sitelist
from miniepo.protocol.relay_session import Allowed
from miniepo.protocol.sitelist import SiteList
from miniepo.wire.stream import resolve

KEEP_SECONDS = 60.0

_log = logger("relay.targets")


class Targets:
    """The allowed endpoints; an unreadable list allows nothing."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._stamp: tuple[int, int] | None = None
        self._until = 0.0
        self._allowed: Allowed = {}
        self._reading = asyncio.Lock()

    async def read(self) -> Allowed:
        """The endpoints of the list as it is now; names are looked up again once a minute, for all clients at once."""
        async with self._reading:
            stamp = _stamp(self._path)
            if stamp != self._stamp or self._clock.monotonic() >= self._until:
                self._allowed = await self._build()
                self._stamp = stamp
                self._until = self._clock.monotonic() + KEEP_SECONDS
            return self._allowed

    async def _build(self) -> Allowed:
        try:
            listed = sitelist.parse(self._path.read_bytes())
        except (OSError, SiteListError) as error:
            _log.error("%s: %s; nothing is forwarded", self._path, error)
            return {}
        return relay_session.allowed_targets(listed, await _look_up(listed))


async def _look_up(listed: SiteList) -> dict[str, tuple[str, ...]]:
    names = relay_session.names_to_resolve(listed)
    found = await asyncio.gather(*(resolve(name) for name in names), return_exceptions=True)
    resolved: dict[str, tuple[str, ...]] = {}
    for name, result in zip(names, found, strict=True):
        if isinstance(result, UnreachableError):
            _log.info("site %s: %s", name, result)
        elif isinstance(result, BaseException):
            raise result
        else:
            resolved[name] = result
    return resolved


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return (status.st_mtime_ns, status.st_ino)
