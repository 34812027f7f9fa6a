"""Opens the line to a handler: walks the planned ways, remembers what did not answer, finds relays when it must."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from miniepo.agent.attempts import Tried, in_words
from miniepo.agent.relay_finder import RelayFinder
from miniepo.agent.route_memory import after_discovery, after_failure, after_success, leaves_relay
from miniepo.agent.routes import (
    CONNECT_SECONDS,
    DiscoveryMode,
    Way,
    WayKey,
    asked_of_relay,
    discovers,
    plan,
    targets,
    through_relays,
    tls_port,
)
from miniepo.agent.settings import Settings
from miniepo.agent.state import Routing, StateDirectory
from miniepo.config import AgentConfig
from miniepo.errors import (
    MiniepoError,
    RefusedError,
    SilentError,
    TransferError,
    UnreachableError,
    UnresolvedError,
    UntrustedError,
)
from miniepo.log import logger
from miniepo.protocol.connection_retry import ROUNDS, Attempt, ConnectionRetry, Outcome
from miniepo.protocol.discovery import Relay
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import Site
from miniepo.wire import stream as wire
from miniepo.wire.http_client import HttpConnection
from miniepo.wire.stream import Stream
from miniepo.wire.tls import TlsContext

_log = logger("agent.connector")
SecondsLeft = Callable[[], float]
Connect = Callable[[Sequence[Endpoint], float], Awaitable[Stream]]
Through = Callable[[Sequence[Endpoint], Endpoint, float], Awaitable[Stream]]
Secure = Callable[[Stream], Awaitable[None]]
"""Makes a fresh connection the peer's own, or drops it and raises UnreachableError."""
Tell = Callable[[Attempt[tuple[Endpoint, ...]], Outcome], None]


def _for_ever() -> float:
    return math.inf


def _untold(attempt: Attempt[tuple[Endpoint, ...]], outcome: Outcome) -> None:
    """Nobody wants to know."""


async def plain(stream: Stream) -> None:
    """Nothing proves who answers."""


@dataclass(slots=True)
class Line:
    """An open TLS connection to a handler, the way it took, and what went over it and those before it."""

    way: Way
    http: HttpConnection
    packages: int = 0
    connections: int = 1

    @property
    def handler(self) -> Site:
        return self.way.handler


class Connector:
    """Opens lines to handlers, straight or through relays."""

    def __init__(
        self,
        state: StateDirectory,
        tls: TlsContext,
        finder: RelayFinder,
        mode: Callable[[], DiscoveryMode],
        *,
        patient: bool = False,
    ) -> None:
        self.patient = patient
        self.tried: list[Tried] = []
        """The attempts at handlers, straight, of the communication under way or the last one."""
        self._state = state
        self._tls = tls
        self._finder = finder
        self._mode = mode
        self._gone: set[str] = set()
        self._avoid: frozenset[WayKey] = frozenset()
        self._handlers: tuple[Site, ...] = ()
        self._seconds_left: SecondsLeft = _for_ever

    async def open(
        self,
        handlers: Sequence[Site],
        avoid: frozenset[WayKey] = frozenset(),
        seconds_left: SecondsLeft = _for_ever,
    ) -> Line:
        """A line by the first way that works, but by none of `avoid`; raises UnreachableError.

        `seconds_left` tells how near the next ASCI is.
        """
        routing = self._state.routing
        self._seconds_left = seconds_left
        self._gone, self._avoid, self._handlers, self.tried = set(), avoid, tuple(handlers), []
        planned = plan(handlers, routing.unreachable, routing.relays)
        finding = self._finder.start() if self._discovers(handlers, routing) else None
        try:
            line = await self._race(planned.remembered) or await self._one_by_one(planned.others)
            if line is None and finding is None and self._mode() == "never":
                raise UnreachableError("no handler answers directly, and this agent may not look for relays")
            return line or await self._through_found(handlers, finding or self._finder.start())
        finally:
            if finding is not None:
                await self._remember_found(finding)

    def _discovers(self, handlers: Sequence[Site], routing: Routing) -> bool:
        """Whether this communication begins with a discovery: at every ASCI of an agent that needs a relay."""
        return discovers(self._mode(), all(each.name in routing.unreachable for each in handlers))

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
        found = await finding
        self._remember(after_discovery(self._state.routing, found))

    async def _try(self, way: Way) -> Line | None:
        """Open one way, note how it went; None if it is no way now."""
        if way.key in self._avoid or (way.relay is not None and way.relay.guid in self._gone):
            return None
        try:
            line = await (self._direct(way.handler) if way.relay is None else self._relayed(way.handler, way.relay))
        except MiniepoError as error:
            _log.info("%s: %s%s", way.label, error, "" if way.relay else self._told(way.handler))
            if leaves_relay(way, error) and way.relay is not None:
                self._gone.add(way.relay.guid)
            self._remember(after_failure(self._state.routing, way, self._handlers, error))
            return None
        self._remember(after_success(self._state.routing, way, self._handlers))
        return line

    def _note(self, handler: Site, attempt: Attempt[tuple[Endpoint, ...]], outcome: Outcome) -> None:
        self.tried.append(Tried(handler.name, attempt.round, attempt.method, outcome))

    def _told(self, handler: Site) -> str:
        words = in_words([each for each in self.tried if each.handler == handler.name])
        return f"; {words}" if words else ""

    def _remember(self, routing: Routing) -> None:
        if routing != self._state.routing:
            self._state.routing = routing

    async def renew(self, line: Line) -> None:
        """Go on over another connection by the same way; raises UnreachableError."""
        await line.http.close()
        way = line.way
        fresh = await (self._direct(way.handler) if way.relay is None else self._relayed(way.handler, way.relay))
        line.http, line.connections = fresh.http, line.connections + 1

    async def _direct(self, handler: Site) -> Line:
        tell = partial(self._note, handler)
        stream = await connect_directly(
            targets(handler),
            seconds_left=self._seconds_left,
            patient=self.patient,
            tell=tell,
            secure=with_tls(self._tls, handler),
        )
        return Line(Way(handler), HttpConnection(stream, handler.host))

    async def _relayed(self, handler: Site, relay: Relay) -> Line:
        endpoints = asked_of_relay(handler, tls_port(handler))
        stream = await connect_by_relay(relay, endpoints, with_tls(self._tls, handler))
        return Line(Way(handler, relay), HttpConnection(stream, handler.host))


def connector_of(
    config: AgentConfig, state: StateDirectory, tls: TlsContext, finder: RelayFinder, settings: Callable[[], Settings]
) -> Connector:
    """The connector of an agent, which looks for relays as the settings in force say."""
    return Connector(state, tls, finder, lambda: settings().relay.discover, patient=config.retry_timeouts)


def with_tls(tls: TlsContext, site: Site) -> Secure:
    """TLS with this site and no other."""
    return lambda stream: wire.start_tls(stream, tls, site.host)


async def connect_directly(
    groups: Sequence[tuple[Endpoint, ...]],
    rounds: int = ROUNDS,
    seconds_left: SecondsLeft = _for_ever,
    *,
    patient: bool = False,
    connect: Connect = wire.connect_first,
    tell: Tell = _untold,
    secure: Secure = plain,
) -> Stream:
    """A connection by IP, FQDN or NetBIOS name, tried as `connection_retry` decides; raises UnreachableError.

    An address counts when its connection is `secure`. Who is `patient` waits for a silent address again, by each of
    its names and in each round. `tell` hears of each attempt when it is over.
    """
    retry: ConnectionRetry[tuple[Endpoint, ...]] = ConnectionRetry(groups, rounds, CONNECT_SECONDS, patient)
    silent: set[str] = set()
    failure = UnreachableError("no address to connect to")
    attempts = 0
    command = retry.start(seconds_left())
    while isinstance(command, Attempt):
        attempts += 1
        try:
            stream = await _connect_unless_silent(command.method, set() if patient else silent, connect, secure)
        except UnreachableError as error:
            failure = failure if attempts > 1 else error
            tell(command, _outcome(error))
            command = retry.receive(_outcome(error), seconds_left())
        else:
            tell(command, "no-error")
            return stream
    raise type(failure)(f"{failure} ({attempts} attempts, then {command.reason})")


def _outcome(error: UnreachableError) -> Outcome:
    kinds: dict[type[UnreachableError], Outcome] = {
        UnresolvedError: "unresolved",
        UntrustedError: "untrusted",
        SilentError: "silent",
    }
    return kinds.get(type(error), "refused")


async def _connect_unless_silent(
    group: Sequence[Endpoint], silent: set[str], connect: Connect, secure: Secure
) -> Stream:
    """Connect to the first of a group that answers; an address that stayed silent by another name is not waited for."""
    found = [Endpoint(address, each.port) for each in group for address in await _look_up(each)]
    if not found:
        raise UnresolvedError(f"{group[0]}: the name has no address")
    endpoints = [endpoint for endpoint in found if endpoint.host not in silent]
    if not endpoints:
        raise SilentError(f"{group[0]}: its address did not answer before")
    try:
        stream = await connect(endpoints, CONNECT_SECONDS)
        await secure(stream)
    except SilentError:
        silent.update(endpoint.host for endpoint in endpoints)
        raise
    return stream


async def _look_up(endpoint: Endpoint) -> Sequence[str]:
    try:
        return await wire.resolve(endpoint.host)
    except UnreachableError as error:
        _log.debug("%s: %s", endpoint, error)
        return ()


async def connect_by_relay(
    relay: Relay, endpoints: Sequence[Endpoint], secure: Secure = plain, through: Through = wire.connect_through
) -> Stream:
    """Through a relay, which is asked for each of the target's names in turn until one leads to it, `secure`.

    RefusedError when the relay knows no way, UntrustedError or SilentError when nobody there is the target.
    """
    failure: MiniepoError | None = None
    for endpoint in endpoints:
        try:
            stream = await through(relay.endpoints, endpoint, CONNECT_SECONDS)
        except RefusedError as error:
            failure = error
            continue
        try:
            await secure(stream)
        except UnreachableError as error:
            failure = error
        else:
            return stream
    raise failure or TransferError("nothing to ask the relay for")
