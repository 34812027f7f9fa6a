"""Answers `/datachannel` on the wake-up port: a handler says that something waits for this agent's products."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from nacl.signing import VerifyKey

from miniepo.agent import wakeup
from miniepo.agent.nonces import NonceMemory
from miniepo.agent.settings import Settings
from miniepo.agent.state import StateDirectory
from miniepo.clock import Clock
from miniepo.errors import MessageError, SignatureError, WorldError
from miniepo.log import logger
from miniepo.protocol import codec, signing
from miniepo.protocol.datachannel import ChannelWaiting
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response

CHANNEL_PATH = "/datachannel"
_NOTICE_BYTES = 16 * 1024

_log = logger("agent.datachannel")


def accept_notice(data: bytes, guid: str, key: VerifyKey, nonces: NonceMemory, now: float) -> None:
    """Return if a handler of this agent's server says so, now and for the first time; else raise a WorldError."""
    envelope = signing.open_envelope(data)
    signing.verify(envelope, key, now=now)
    if envelope.recipient != guid:
        raise SignatureError(f"the notice is for {envelope.recipient}, not for this agent")
    message = codec.decode_to_agent(envelope.payload)
    if not isinstance(message, ChannelWaiting) or message.guid != guid:
        raise MessageError("the envelope holds no notice of the DataChannel for this agent")
    nonces.use(envelope.nonce, now)


class DataChannelDoor:
    """The part of the wake-up port that belongs to the DataChannel; who may call is decided as for wake-ups."""

    name = "datachannel"

    def __init__(
        self,
        state: StateDirectory,
        server_key: VerifyKey,
        nonces: NonceMemory,
        handler_addresses: Callable[[], Awaitable[Collection[str]]],
        told: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._state = state
        self._server_key = server_key
        self._nonces = nonces
        self._handler_addresses = handler_addresses
        self._told = told
        self._clock = clock

    @property
    def active(self) -> bool:
        """It answers as long as the wake-up port is open."""
        return True

    def enforce(self, settings: Settings) -> tuple[str, ...]:
        """No policy governs it."""
        return ()

    def properties(self) -> dict[str, str]:
        """It has nothing to report."""
        return {}

    async def handle(self, request: Request) -> Response | None:
        """Take a notice, refuse a stranger's, and leave other requests to others."""
        if request.path != CHANNEL_PATH:
            return None
        if request.method != "POST":
            return Response(405, b"method not allowed\n", headers=(("Allow", "POST"),))
        try:
            wakeup.check_source(request.peer, await self._handler_addresses())
            data = await request.body(_NOTICE_BYTES)
            guid = self._state.registration.guid
            accept_notice(data, guid, self._server_key, self._nonces, self._clock.now())
        except WorldError as error:
            _log.warning("notice from %s refused: %s", request.peer, error)
            return Response(403, f"{error}\n".encode())
        self._told()
        return Response(202, b"accepted\n")
