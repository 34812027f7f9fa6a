"""Opens the line to a handler: walks the planned ways, remembers what did not answer, finds relays when it must."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from miniepo.agent.relay_finder import RelayFinder
from miniepo.agent.routes import (
    CONNECT_SECONDS,
    Way,
    WayKey,
    asked_of_relay,
    plan,
    targets,
    through_relays,
    tls_port,
)
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
        self._handlers: tuple[Site, ...] = ()

    async def open(self, handlers: Sequence[Site], avoid: frozenset[WayKey] = frozenset()) -> Line:
        """A line by the first way that works, but by none of `avoid`; raises UnreachableError."""
        routing = self._state.routing
        self._gone, self._avoid, self._handlers = set(), avoid, tuple(handlers)
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
        relays, unreachable = routing.relays, routing.unreachable
        if way.relay is not None:
            relays = RelayCache(relays).failed(way.relay.guid).relays
        if way.relay is not None and isinstance(error, UnreachableError):
            self._gone.add(way.relay.guid)
        else:
            unreachable = (*self._without(unreachable, way), way.memory)
        self._state.routing = Routing(relays, unreachable, routing.last_handler)

    def _succeeded(self, way: Way) -> None:
        routing = self._state.routing
        relays = routing.relays
        if way.relay is not None:
            others = tuple(each for each in relays if each.guid != way.relay.guid)
            relays = RelayCache((way.relay, *others)).add(()).relays
        fresh = Routing(relays, self._without(routing.unreachable, way), way.handler.name)
        if fresh != routing:
            self._state.routing = fresh

    def _without(self, unreachable: Sequence[str], way: Way) -> tuple[str, ...]:
        """What else is remembered, as far as it still concerns handlers of the list."""
        ways = [Way(handler, relay) for handler in self._handlers for relay in (None, way.relay)]
        listed = {each.memory for each in ways}
        return tuple(word for word in unreachable if word in listed and word != way.memory)

    async def _direct(self, handler: Site) -> Line:
        stream = await connect_directly(targets(handler))
        return await self._secure(stream, Way(handler))

    async def _relayed(self, handler: Site, relay: Relay) -> Line:
        stream = await connect_by_relay(relay, asked_of_relay(handler, tls_port(handler)))
        return await self._secure(stream, Way(handler, relay))

    async def _secure(self, stream: Stream, way: Way) -> Line:
        await wire.start_tls(stream, self._tls, way.handler.host)
        return Line(way, HttpConnection(stream, way.handler.host))


async def connect_directly(groups: Sequence[Sequence[Endpoint]], rounds: int = MAX_ROUNDS) -> Stream:
    """IP, then FQDN, then NetBIOS name, in rounds; an address that did not answer in time is not waited for again."""
    silent: set[str] = set()
    failure: UnreachableError | None = None
    for _ in range(rounds):
        for group in groups:
            try:
                return await _connect_unless_silent(group, silent)
            except UnreachableError as error:
                failure = failure or error
    raise failure or UnreachableError("no address to connect to")


async def _connect_unless_silent(group: Sequence[Endpoint], silent: set[str]) -> Stream:
    """Connect to the first of a group that answers; what stays silent is noted."""
    endpoints = [
        found for endpoint in group if endpoint.host not in silent for found in await _look_up(endpoint, silent)
    ]
    endpoints = [endpoint for endpoint in endpoints if endpoint.host not in silent]
    if not endpoints:
        raise UnreachableError(f"{group[0]}: no address that may answer")
    try:
        return await wire.connect_first(endpoints, CONNECT_SECONDS)
    except SilentError:
        silent.update(endpoint.host for endpoint in endpoints)
        raise


async def _look_up(endpoint: Endpoint, silent: set[str]) -> list[Endpoint]:
    try:
        return [Endpoint(address, endpoint.port) for address in await wire.resolve(endpoint.host)]
    except UnreachableError:
        silent.add(endpoint.host)
        return []


async def connect_by_relay(relay: Relay, endpoints: Sequence[Endpoint]) -> Stream:
    """Through a relay, which is asked for each of the target's names in turn; RefusedError when it knows no way."""
    refusal: RefusedError | None = None
    for endpoint in endpoints:
        try:
            return await wire.connect_through(relay.endpoints, endpoint, CONNECT_SECONDS)
        except RefusedError as error:
            refusal = error
    raise refusal or TransferError("nothing to ask the relay for")
