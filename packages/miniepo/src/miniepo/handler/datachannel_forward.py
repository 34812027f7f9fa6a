"""Passes what agents say on to the server; what goes wrong stands in `server.log` in the two published lines.

Whatever the reason, a missing, wrong or expired certificate, a mismatched DCRedirect extension or a server that is
down, the published lines are the same (source S2, domain §6.3); the reason stands in the handler's own log. The agent
keeps its messages until the server has them, so a later try mends everything.

A server that hangs must not take the handler's connections, which agents hold meanwhile and ASCI needs: nobody is asked
for long, and once nothing at all came back in that time, one visit in a while tries it and the others keep their
messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from miniepo import config, log
from miniepo.clock import Clock, SystemClock
from miniepo.errors import ConfigError, MessageError, SilentError, TransferError, UnreachableError
from miniepo.patience import within
from miniepo.protocol import datachannel_forward
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.datachannel_forward import FORWARD_PATH, Forwarded
from miniepo.wire.http_client import Answer

CANNOT_CONNECT = 12029
"""The number that the product's HTTP client gives for a connection that could not be made."""
FAILURE = 0x80004005
FORWARD_SECONDS = 3.0
"""For one visit's messages, from the wait for a free line to the server's answer."""
REST_SECONDS = 5.0
"""How long a server that hangs is not asked."""
_logger = log.logger("handler.datachannel")


class Line(Protocol):
    """A way to the server."""

    async def post(self, path: str, body: bytes) -> Answer: ...


class Forwarder:
    """One handler's way up."""

    def __init__(
        self,
        handler: str,
        line: Line,
        redirect_file: str,
        clock: Clock | None = None,
        forward_seconds: float = FORWARD_SECONDS,
    ) -> None:
        self._handler = handler
        self._line = line
        self._redirect_file = redirect_file
        self._clock = clock or SystemClock()
        self._forward_seconds = forward_seconds
        self._rests_until: float | None = None
        self._answers = 0

    async def forward(self, guid: str, messages: Sequence[ChannelMessage]) -> tuple[str, ...]:
        """The ids of the messages that the server has now; none if it could not be asked."""
        if not messages:
            return ()
        try:
            return await self._ask_in_time(guid, messages)
        except (ConfigError, UnreachableError, TransferError, MessageError) as error:
            _logger.warning("%d messages of %s were not passed on: %s", len(messages), guid, error)
            say_failed()
            return ()

    async def _ask_in_time(self, guid: str, messages: Sequence[ChannelMessage]) -> tuple[str, ...]:
        began, answers = self._clock.monotonic(), self._answers
        if self._rests_until is not None:
            if began < self._rests_until:
                raise SilentError("the server did not answer before; it is not asked so soon again")
            self._rests_until = began + self._forward_seconds  # the others wait for what this one meets
        try:
            return await within(self._ask(guid, messages), self._forward_seconds)
        except TimeoutError as error:
            if answers == self._answers:
                self._rests_until = self._clock.monotonic() + REST_SECONDS
            raise SilentError(f"the server did not answer within {self._forward_seconds:g} s") from error

    async def _ask(self, guid: str, messages: Sequence[ChannelMessage]) -> tuple[str, ...]:
        forwarded = Forwarded(
            handler=self._handler,
            redirect=config.read_version(self._redirect_file),
            guid=guid,
            messages=tuple(messages),
        )
        answer = await self._line.post(FORWARD_PATH, datachannel_forward.encode(forwarded))
        self._answers, self._rests_until = self._answers + 1, None
        return datachannel_forward.decode_received(answer.expect(200).body).accepted


def say_failed() -> None:
    """The two published lines."""
    log.server_log("McUpload").error("Failed to send http request.  Error=%d (%d)", CANNOT_CONNECT, CANNOT_CONNECT)
    log.server_log("NAIMSRV").error(
        "ForwardDataChannelMessageToJava - Failed to send request, err=0x%x, HTTP status code=%d", FAILURE, 0
    )
