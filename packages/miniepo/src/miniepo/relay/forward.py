"""Serves one client after the other on the relay's TCP port: asks the session what to do, and does it."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass

from miniepo.errors import UnreachableError
from miniepo.log import logger
from miniepo.patience import within
from miniepo.protocol import relay_session
from miniepo.protocol.relay_session import (
    Dial,
    Disconnect,
    LineReceived,
    NoRoom,
    NothingAsked,
    RelaySession,
    Say,
    Splice,
    TargetConnected,
    TargetUnreachable,
    TransferEnded,
)
from miniepo.relay.targets import Targets
from miniepo.wire.splice import splice
from miniepo.wire.stream import Stream, connect_first

_log = logger("relay.forward")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the relay grants: connections at once, in all and to one client; seconds for the first line, for the
    site, and without a byte either way."""

    connections: int = 200
    connections_of_one: int = 100
    request_seconds: float = 5.0
    connect_seconds: float = 2.0
    idle_seconds: float = 60.0


class Forwarder:
    """Forwards connections to allowed sites."""

    def __init__(self, targets: Targets, limits: Limits = Limits()) -> None:
        self._targets = targets
        self._limits = limits
        self._open: Counter[str] = Counter()

    @property
    def load(self) -> float:
        """How much of what the relay grants is in use, from 0 to 1."""
        return self._open.total() / self._limits.connections

    async def serve(self, client: Stream) -> None:
        """One client, from its request to the end of the transfer."""
        source = client.peer_address
        refusal = self._refusal(source)
        self._open[source] += 1
        try:
            await _Pair(client, RelaySession(await self._targets.read()), self._limits).run(refusal)
        finally:
            self._open[source] -= 1
            self._open += Counter()
            await client.close()

    def _refusal(self, source: str) -> NoRoom | None:
        """Why this client is not served; what is refused is told so, and beyond twice the limit it is not even told."""
        limits, in_all, own = self._limits, self._open.total(), self._open[source]
        if in_all >= 2 * limits.connections:
            raise ConnectionRefusedError("too many that were refused hold their connections")
        if in_all >= limits.connections:
            return NoRoom(f"{limits.connections} connections are in use")
        if own >= limits.connections_of_one:
            return NoRoom(f"{limits.connections_of_one} connections of {source} are in use")
        return None


class _Pair:
    """A client's connection and the one to its site."""

    def __init__(self, client: Stream, session: RelaySession, limits: Limits) -> None:
        self._client = client
        self._target: Stream | None = None
        self._session = session
        self._limits = limits

    async def run(self, refusal: NoRoom | None) -> None:
        todo = deque(self._session.receive(refusal or await self._first_line()))
        try:
            while todo:
                event = await self._do(todo.popleft())
                if event is not None:
                    todo.extend(self._session.receive(event))
        finally:
            if self._target is not None:
                await self._target.close()

    async def _first_line(self) -> LineReceived | NothingAsked:
        """The first line, at most what the reader's limit allows; a longer one is cut off there."""
        try:
            line = await within(self._client.reader.readuntil(b"\n"), self._limits.request_seconds)
        except asyncio.LimitOverrunError:
            return LineReceived(b" " * (relay_session.MAX_LINE_BYTES + 1))
        except (TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            _log.debug("%s asked for nothing: %s", self._client.peer_address, error or type(error).__name__)
            return NothingAsked()
        return LineReceived(line)

    async def _do(self, command: relay_session.Command) -> relay_session.Event | None:
        match command:
            case Dial():
                return await self._dial(command)
            case Say():
                self._client.writer.write(command.data)
                await within(self._client.writer.drain(), self._limits.request_seconds)
            case Splice():
                return await self._splice()
            case Disconnect():
                _log.debug("disconnected from %s", self._session.target)
        return None

    async def _dial(self, command: Dial) -> relay_session.Event:
        try:
            self._target = await connect_first(command.addresses, self._limits.connect_seconds)
        except UnreachableError as error:
            _log.info("%s asked for %s: %s", self._client.peer_address, command.target, error)
            return TargetUnreachable(str(error))
        return TargetConnected()

    async def _splice(self) -> TransferEnded:
        assert self._target is not None
        moved = await splice(self._client, self._target, self._limits.idle_seconds)
        _log.info(
            "%s to %s: %d bytes up, %d down",
            self._client.peer_address,
            self._session.target,
            moved.upstream,
            moved.downstream,
        )
        return TransferEnded()
