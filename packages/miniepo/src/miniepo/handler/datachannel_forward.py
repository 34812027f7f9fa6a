"""Passes what agents say on to the server; what goes wrong stands in `server.log` in the two published lines.

Whatever the reason, a missing, wrong or expired certificate, a mismatched DCRedirect extension or a server that is
down, the published lines are the same (source S2, domain §6.3); the reason stands in the handler's own log. The agent
keeps its messages until the server has them, so a later try mends everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from miniepo import config, log
from miniepo.errors import ConfigError, MessageError, TransferError, UnreachableError
from miniepo.protocol import datachannel_forward
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.datachannel_forward import FORWARD_PATH, Forwarded
from miniepo.wire.http_client import Answer

CANNOT_CONNECT = 12029
"""The number that the product's HTTP client gives for a connection that could not be made."""
FAILURE = 0x80004005
_logger = log.logger("handler.datachannel")


class Line(Protocol):
    """A way to the server."""

    async def post(self, path: str, body: bytes) -> Answer: ...


class Forwarder:
    """One handler's way up."""

    def __init__(self, handler: str, line: Line, redirect_file: str) -> None:
        self._handler = handler
        self._line = line
        self._redirect_file = redirect_file

    async def forward(self, guid: str, messages: Sequence[ChannelMessage]) -> tuple[str, ...]:
        """The ids of the messages that the server has now; none if it could not be asked."""
        if not messages:
            return ()
        try:
            return await self._ask(guid, messages)
        except (ConfigError, UnreachableError, TransferError, MessageError) as error:
            _logger.warning("%d messages of %s were not passed on: %s", len(messages), guid, error)
            say_failed()
            return ()

    async def _ask(self, guid: str, messages: Sequence[ChannelMessage]) -> tuple[str, ...]:
        forwarded = Forwarded(
            handler=self._handler,
            redirect=config.read_version(self._redirect_file),
            guid=guid,
            messages=tuple(messages),
        )
        answer = await self._line.post(FORWARD_PATH, datachannel_forward.encode(forwarded))
        return datachannel_forward.decode_received(answer.expect(200).body).accepted


def say_failed() -> None:
    """The two published lines."""
    log.server_log("McUpload").error("Failed to send http request.  Error=%d (%d)", CANNOT_CONNECT, CANNOT_CONNECT)
    log.server_log("NAIMSRV").error(
        "ForwardDataChannelMessageToJava - Failed to send request, err=0x%x, HTTP status code=%d", FAILURE, 0
    )
