"""The addresses of the handlers that may call the agent: whoever else calls on the wake-up port is a stranger."""

from __future__ import annotations

import asyncio

from miniepo.agent.state import StateDirectory
from miniepo.agent.wakeup import callers
from miniepo.clock import Clock
from miniepo.errors import UnreachableError
from miniepo.log import logger
from miniepo.protocol.sitelist import Site
from miniepo.wire.stream import resolve

KEEP_SECONDS = 60.0

_log = logger("agent.handler_addresses")


class HandlerAddresses:
    """Literal addresses of the list, and what the handlers' names resolve to (looked up at most once a minute)."""

    def __init__(self, state: StateDirectory, clock: Clock, version: str) -> None:
        self._state = state
        self._version = version
        self._clock = clock
        self._looked_up: dict[str, tuple[float, tuple[str, ...]]] = {}

    async def read(self) -> frozenset[str]:
        """Every address a handler may call from."""
        handlers = callers(self._state.sitelist().handlers, self._version)
        literal = {address for site in handlers for address in (site.address, site.address_v6) if address}
        named = await asyncio.gather(*(self._resolve(site) for site in handlers))
        return frozenset(literal.union(*named))

    async def _resolve(self, site: Site) -> tuple[str, ...]:
        now = self._clock.monotonic()
        until, known = self._looked_up.get(site.host, (0.0, ()))
        if until > now:
            return known
        try:
            known = await resolve(site.host)
        except UnreachableError as error:
            _log.debug("%s: %s", site.host, error)
        self._looked_up[site.host] = (now + KEEP_SECONDS, known)
        return known
