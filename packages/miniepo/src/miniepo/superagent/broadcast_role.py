"""A SuperAgent's voice: told by a handler, it shouts the server's wake-up in its segment and calls in itself.

Policy category `superagent`, as the repository's role: every SuperAgent broadcasts, also one without a repository.
The order comes to the wake-up port (8081/tcp), the broadcast goes to 8082/udp; both must be open (domain §1.1).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from nacl.signing import VerifyKey

from miniepo.agent import wakeup
from miniepo.agent.alarm import Alarm
from miniepo.agent.nonces import NonceMemory
from miniepo.agent.settings import Settings
from miniepo.agent.state import StateDirectory
from miniepo.clock import Clock
from miniepo.errors import RefusedError, WorldError
from miniepo.log import logger
from miniepo.protocol.segment import PATH, SuperAgentWakeup, heard_as
from miniepo.protocol.signing import open_envelope
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response

ORDER_BYTES = 64 * 1024
Shout = Callable[[bytes, str], int]
"""Says a datagram to the segment (IPv4 network) that is named; how many sends went out."""

_log = logger("superagent.broadcast")


class BroadcastRole:
    """The SuperAgent as the handlers' mouth."""

    name = "broadcast"

    def __init__(
        self,
        state: StateDirectory,
        server_key: VerifyKey,
        nonces: NonceMemory,
        clock: Clock,
        handler_addresses: Callable[[], Awaitable[Collection[str]]],
        alarm: Alarm,
        shout: Shout,
    ) -> None:
        self._state = state
        self._server_key = server_key
        self._nonces = nonces
        self._clock = clock
        self._handler_addresses = handler_addresses
        self._alarm = alarm
        self._shout = shout
        self._enabled = False

    @property
    def active(self) -> bool:
        return self._enabled

    def enforce(self, settings: Settings) -> tuple[str, ...]:
        self._enabled = settings.superagent.enabled
        return ()

    def properties(self) -> dict[str, str]:
        return {}

    async def handle(self, request: Request) -> Response | None:
        if request.path != PATH:
            return None
        if request.method != "POST":
            return Response(405, b"method not allowed\n", headers=(("Allow", "POST"),))
        try:
            order = await self._admitted(request)
        except WorldError as error:
            _log.warning("SuperAgent wake-up from %s refused: %s", request.peer, error)
            return Response(403, f"{error}\n".encode())
        segment = open_envelope(order.datagram).recipient
        sent = self._shout(order.datagram, segment)
        _log.info("wake-up %s from %s: shouted %d times in %s", order.wakeup_id, request.peer, sent, segment)
        self._alarm.ring(heard_as(order, order.guid))
        return Response(202, b"accepted\n") if sent else Response(409, f"not on segment {segment}\n".encode())

    async def _admitted(self, request: Request) -> SuperAgentWakeup:
        wakeup.check_source(request.peer, await self._handler_addresses())
        if not self._enabled:
            raise RefusedError("no-superagent", "this agent is no SuperAgent")
        data = await request.body(ORDER_BYTES)
        guid = self._state.registration.guid
        order = wakeup.accept_order(data, guid, self._server_key, self._nonces, self._clock.now())
        open_envelope(order.datagram)
        return order
