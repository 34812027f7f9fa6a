"""Serves one client after the other on the relay's TCP port: asks the session what to do, and does it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from miniepo.errors import UnreachableError
from miniepo.log import logger
from miniepo.protocol import relay_session
from miniepo.protocol.relay_session import (
    Dial,
    Disconnect,
    LineReceived,
    RelaySession,
    Say,
    Splice,
    TargetConnected,
    TargetUnreachable,
    TransferEnded,
)
from miniepo.relay.targets import Targets
from miniepo.wire.splice import splice
from miniepo.wire.stream import Stream, connect

_log = logger("relay.forward")


@dataclass(frozen=True, slots=True)
class Limits:
    """What the relay grants: connections at once, seconds for the first line, for the site, and without a byte."""

    connections: int = 200
    request_seconds: float = 5.0
    connect_seconds: float = 2.0
    idle_seconds: float = 60.0


class Forwarder:
    """Forwards connections to allowed sites."""

    def __init__(self, targets: Targets, limits: Limits = Limits()) -> None:
        self._targets = targets
        self._limits = limits
        self._open = 0

    async def serve(self, client: Stream) -> None:
        """One client, from its request to the end of the transfer."""
        if self._open >= self._limits.connections:
            client.abort()
            return
        self._open += 1
        try:
            await _Pair(client, RelaySession(await self._targets.read()), self._limits).run()
        finally:
            self._open -= 1
            await client.close()


class _Pair:
    """A client's connection and the one to its site."""

    def __init__(self, client: Stream, session: RelaySession, limits: Limits) -> None:
        self._client = client
        self._target: Stream | None = None
        self._session = session
        self._limits = limits

    async def run(self) -> None:
        line = await asyncio.wait_for(self._client.reader.readline(), self._limits.request_seconds)
        if len(line) > relay_session.MAX_LINE_BYTES:
            return
        todo = deque(self._session.receive(LineReceived(line)))
        try:
            while todo:
                event = await self._do(todo.popleft())
                if event is not None:
                    todo.extend(self._session.receive(event))
        finally:
            if self._target is not None:
                await self._target.close()

    async def _do(self, command: relay_session.Command) -> relay_session.Event | None:
        match command:
            case Dial():
                return await self._dial(command)
            case Say():
                self._client.writer.write(command.data)
                await asyncio.wait_for(self._client.writer.drain(), self._limits.request_seconds)
            case Splice():
                return await self._splice()
            case Disconnect():
                _log.debug("disconnected from %s", self._session.target)
        return None

    async def _dial(self, command: Dial) -> relay_session.Event:
        try:
            self._target = await connect(command.target, self._limits.connect_seconds)
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
