"""Opens the line to a handler: walks the planned ways, remembers what did not answer, finds relays when it must."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from miniepo.agent.relay_finder import RelayFinder
from miniepo.agent.routes import CONNECT_SECONDS, Way, WayKey, plan, targets, through_relays
from miniepo.agent.state import Routing, StateDirectory
from miniepo.errors import MiniepoError, RefusedError, SilentError, TransferError, UnreachableError
from miniepo.log import logger
from miniepo.protocol.discovery import Relay, RelayCache
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import Site
from miniepo.wire import stream as wire
from miniepo.wire.http_client import HttpConnection
from miniepo.wire.stream import Stream, TlsContext

MAX_ROUNDS = 6
"""IP, FQDN and NetBIOS name six times over make the 18 attempts of the product (domain §4)."""

_log = logger("agent.connector")


@dataclass(slots=True)
class Line:
    """An open TLS connection to a handler, and the way it took."""

    way: Way
    http: HttpConnection

    @property
    def handler(self) -> Site:
        return self.way.handler


class Connector:
    """Opens lines to handlers, straight or through relays."""

    def __init__(self, state: StateDirectory, tls: TlsContext, finder: RelayFinder) -> None:
        self._state = state
        self._tls = tls
        self._finder = finder
        self._gone: set[str] = set()
        self._avoid: frozenset[WayKey] = frozenset()

    async def open(self, handlers: Sequence[Site], avoid: frozenset[WayKey] = frozenset()) -> Line:
        """A line by the first way that works, but by none of `avoid`; raises UnreachableError."""
        routing = self._state.routing
        self._gone, self._avoid = set(), avoid
        planned = plan(handlers, routing.unreachable, routing.relays)
        finding = self._finder.start() if all(each.name in routing.unreachable for each in handlers) else None
        try:
            line = await self._race(planned.remembered) or await self._one_by_one(planned.others)
            return line or await self._through_found(handlers, finding or self._finder.start())
        finally:
            if finding is not None:
                await self._remember_found(finding)

    async def _race(self, ways: Sequence[Way]) -> Line | None:
        """All ways at once; the first one in order that connects wins, so that the preferred one is preferred."""
        tasks = [asyncio.create_task(self._try(way)) for way in ways]
        chosen: Line | None = None
        for task in tasks:
            line = await task
            if chosen is None:
                chosen = line
            elif line is not None:
                await line.http.close()
        return chosen

    async def _one_by_one(self, ways: Sequence[Way]) -> Line | None:
        for way in ways:
            line = await self._try(way)
            if line is not None:
                return line
        return None

    async def _through_found(self, handlers: Sequence[Site], finding: asyncio.Task[tuple[Relay, ...]]) -> Line:
        tried = {relay.guid for relay in self._state.routing.relays if relay.guid in self._gone}
        found = [relay for relay in await finding if relay.guid not in tried]
        await self._remember_found(finding)
        line = await self._one_by_one(through_relays(handlers, found))
        if line is None:
            names = ", ".join(handler.name for handler in handlers) or "none"
            raise UnreachableError(f"no handler answers, directly or through {len(found)} found relays: {names}")
        return line

    async def _remember_found(self, finding: asyncio.Task[tuple[Relay, ...]]) -> None:
        routing = self._state.routing
        cache = RelayCache(routing.relays).add(await finding)
        if cache.relays != routing.relays:
            self._state.routing = Routing(cache.relays, routing.unreachable, routing.last_handler)

    async def _try(self, way: Way) -> Line | None:
        """Open one way, note how it went; None if it is no way now."""
        if way.key in self._avoid or (way.relay is not None and way.relay.guid in self._gone):
            return None
        try:
            line = await (self._direct(way.handler) if way.relay is None else self._relayed(way.handler, way.relay))
        except MiniepoError as error:
            _log.info("%s: %s", way.label, error)
            self._failed(way, error)
            return None
        self._succeeded(way)
        return line

    def _failed(self, way: Way, error: MiniepoError) -> None:
        routing = self._state.routing
        if way.relay is None:
            listed = {handler.name for handler in self._state.sitelist().handlers}
            unreachable = tuple(name for name in routing.unreachable if name in listed and name != way.handler.name)
            unreachable = (*unreachable, way.handler.name)
            self._state.routing = Routing(routing.relays, unreachable, routing.last_handler)
            return
        if isinstance(error, UnreachableError):
            self._gone.add(way.relay.guid)
        cache = RelayCache(routing.relays).failed(way.relay.guid)
        self._state.routing = Routing(cache.relays, routing.unreachable, routing.last_handler)

    def _succeeded(self, way: Way) -> None:
        routing = self._state.routing
        relays, unreachable = routing.relays, routing.unreachable
        if way.relay is None:
            unreachable = tuple(name for name in unreachable if name != way.handler.name)
        else:
            others = tuple(each for each in relays if each.guid != way.relay.guid)
            relays = RelayCache((way.relay, *others)).add(()).relays
        fresh = Routing(relays, unreachable, way.handler.name)
        if fresh != routing:
            self._state.routing = fresh

    async def _direct(self, handler: Site) -> Line:
        stream = await connect_directly(targets(handler))
        return await self._secure(stream, Way(handler))

    async def _relayed(self, handler: Site, relay: Relay) -> Line:
        stream = await connect_by_relay(relay, targets(handler))
        return await self._secure(stream, Way(handler, relay))

    async def _secure(self, stream: Stream, way: Way) -> Line:
        await wire.start_tls(stream, self._tls, way.handler.host)
        return Line(way, HttpConnection(stream, way.handler.host))


async def connect_directly(endpoints: Sequence[Endpoint]) -> Stream:
    """IP, then FQDN, then NetBIOS name, in rounds; an address that did not answer in time is not waited for again."""
    silent: set[str] = set()
    failure: UnreachableError | None = None
    for _ in range(MAX_ROUNDS):
        for endpoint in endpoints:
            try:
                return await _connect_unless_silent(endpoint, silent)
            except UnreachableError as error:
                failure = failure or error
    raise failure or UnreachableError("no address to connect to")


async def _connect_unless_silent(endpoint: Endpoint, silent: set[str]) -> Stream:
    if endpoint.host in silent:
        raise UnreachableError(f"{endpoint}: did not answer before")
    try:
        addresses = [address for address in await wire.resolve(endpoint.host) if address not in silent]
    except UnreachableError:
        silent.add(endpoint.host)
        raise
    try:
        return await wire.connect_first([Endpoint(address, endpoint.port) for address in addresses], CONNECT_SECONDS)
    except SilentError:
        silent.update((endpoint.host, *addresses))
        raise


async def connect_by_relay(relay: Relay, endpoints: Sequence[Endpoint]) -> Stream:
    """Through a relay, which is asked for each of the target's names in turn; RefusedError when it knows no way."""
    refusal: RefusedError | None = None
    for endpoint in endpoints:
        try:
            return await wire.connect_through(relay.endpoints, endpoint, CONNECT_SECONDS)
        except RefusedError as error:
            refusal = error
    raise refusal or TransferError("nothing to ask the relay for")
