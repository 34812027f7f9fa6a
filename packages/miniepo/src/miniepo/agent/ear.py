"""Hears the broadcasts of SuperAgents on the agent broadcast port, 8082/udp, and believes what the server signed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from nacl.signing import VerifyKey

from miniepo.agent import wakeup
from miniepo.agent.alarm import Alarm
from miniepo.agent.nonces import NonceMemory
from miniepo.agent.state import StateDirectory
from miniepo.clock import Clock
from miniepo.errors import MessageError, ReplayedEnvelopeError, WorldError
from miniepo.log import logger
from miniepo.protocol.segment import heard_as
from miniepo.protocol.version import AGENT_BROADCAST_PORT
from miniepo.wire.broadcast import BroadcastPort
from miniepo.wire.interfaces import read_interfaces

_RETRY_SECONDS = 5.0
_ECHO_SECONDS = 2.0
"""A broadcast comes in both families: its second copy within this time is no replay worth a line in the log, nor is
what this agent shouted itself as a SuperAgent."""

_log = logger("agent.ear")


class Ear:
    """An agent's ear for its segments. `willing` says whether policy lets it obey broadcasts at present."""

    def __init__(
        self,
        state: StateDirectory,
        server_key: VerifyKey,
        nonces: NonceMemory,
        clock: Clock,
        alarm: Alarm,
        willing: Callable[[], bool],
        port: int = AGENT_BROADCAST_PORT,
    ) -> None:
        self._state = state
        self._server_key = server_key
        self._nonces = nonces
        self._clock = clock
        self._alarm = alarm
        self._willing = willing
        self._port = port
        self._last: tuple[bytes, float] = (b"", 0.0)
        self._segments: frozenset[str] = frozenset()
        self._own: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Listen until cancelled; a port that is taken is tried again."""
        while True:
            opened = BroadcastPort(self._port)
            try:
                await opened.open(self.heard)
                self._look_around()
                _log.info("broadcasts are heard on port %d", self._port)
                await asyncio.Event().wait()
            except OSError as error:
                _log.error("broadcast port %d: %s", self._port, error.strerror)
            finally:
                opened.close()
            await asyncio.sleep(_RETRY_SECONDS)

    def _look_around(self) -> None:
        interfaces = read_interfaces()
        v4 = [each.v4 for each in interfaces if each.v4 is not None]
        own = [*(str(each.ip) for each in v4), *(str(v6.ip) for each in interfaces for v6 in each.v6)]
        self.on_segments(frozenset(str(each.network) for each in v4), frozenset(own))

    def on_segments(self, segments: frozenset[str], own: frozenset[str] = frozenset()) -> None:
        """The node is on these segments, IPv4 networks as text, and has these addresses of its own."""
        self._segments, self._own = segments, own

    def heard(self, data: bytes, source: str) -> None:
        """A datagram came; a question for relays is none of ours, everything that is refused leaves a line."""
        if not self._willing():
            _log.info("broadcast from %s not heeded: policy", source)
            return
        now = self._clock.now()
        try:
            order = wakeup.accept_broadcast(data, self._server_key, self._segments, self._nonces, now)
        except MessageError as error:
            _log.debug("from %s: %s", source, error)
        except ReplayedEnvelopeError as error:
            echo = data == self._last[0] and self._clock.monotonic() <= self._last[1] + _ECHO_SECONDS
            if not echo and source not in self._own:
                _log.warning("broadcast from %s refused: %s", source, error)
        except WorldError as error:
            _log.warning("broadcast from %s refused: %s", source, error)
        else:
            self._last = (data, self._clock.monotonic())
            _log.info("wake-up %s by broadcast from %s", order.wakeup_id, source)
            self._alarm.ring(heard_as(order, self._state.registration.guid))
