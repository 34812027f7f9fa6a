"""How a relay is asked to forward and what it answers: one line each way, then the bytes of a TLS connection.

A relay connects only to the sites listed in its own SiteList.xml and ends the pair of connections after the transfer
(domain §5, source S1). Events in, commands out; `miniepo.relay` has the sockets.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from miniepo.errors import MessageError, RefusedError, TransferError
from miniepo.protocol.decoding import decoded
from miniepo.protocol.relay_targets import Allowed as Allowed
from miniepo.protocol.relay_targets import Endpoint as Endpoint
from miniepo.protocol.relay_targets import allowed_targets as allowed_targets
from miniepo.protocol.relay_targets import names_to_resolve as names_to_resolve
from miniepo.protocol.relay_targets import read_target

MAX_LINE_BYTES = 1024
TOO_MANY = "busy"


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    connect: str


class _Answer(msgspec.Struct):
    ok: bool
    error: str = ""
    code: str = ""


_request = msgspec.json.Decoder(_Request)
_answer = msgspec.json.Decoder(_Answer)


def encode_request(target: Endpoint) -> bytes:
    """The line that asks a relay for a connection."""
    return msgspec.json.encode(_Request(connect=str(target))) + b"\n"


def check_answer(line: bytes) -> None:
    """Raise RefusedError with the relay's reason unless it agreed."""
    try:
        answer = decoded(_answer, line, "the answer of a relay")
    except MessageError as error:
        raise TransferError(str(error)) from error
    if not answer.ok:
        raise RefusedError(answer.code or "relay-refused", answer.error)


# --- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineReceived:
    """The client's first line."""

    line: bytes


@dataclass(frozen=True, slots=True)
class NoRoom:
    """The relay has as many connections as it grants, or as it grants to this client."""

    reason: str


@dataclass(frozen=True, slots=True)
class NothingAsked:
    """The client's first line did not come whole in its time."""


@dataclass(frozen=True, slots=True)
class TargetConnected:
    """The connection to the site stands."""


@dataclass(frozen=True, slots=True)
class TargetUnreachable:
    """The site does not answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class TransferEnded:
    """Either side closed, or nothing moved for too long."""


Event = LineReceived | NoRoom | NothingAsked | TargetConnected | TargetUnreachable | TransferEnded

# --- commands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect to the site at the first of these addresses that answers."""

    target: Endpoint
    addresses: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class Say:
    """Send these bytes to the client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Splice:
    """Let bytes flow both ways."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close both connections."""


Command = Dial | Say | Splice | Disconnect


class RelaySession:
    """One client's connection to a relay; `allowed` is what the relay's list stands for."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self.target: Endpoint | None = None

    def receive(self, event: Event) -> list[Command]:
        """What to do about an event."""
        match event:
            case LineReceived():
                return self._asked(event.line)
            case NoRoom():
                return [_refuse(TOO_MANY, event.reason), Disconnect()]
            case TargetConnected():
                return [_say(_Answer(ok=True)), Splice()]
            case TargetUnreachable():
                return [_refuse("unreachable", event.reason), Disconnect()]
            case NothingAsked() | TransferEnded():
                return [Disconnect()]

    def _asked(self, line: bytes) -> list[Command]:
        try:
            target = _read_request(line)
        except RefusedError as refusal:
            return [_refuse(refusal.code, refusal.reason), Disconnect()]
        addresses = self._allowed.get(target)
        if addresses is None:
            return [_refuse("not-listed", f"{target} is not a site of this relay's SiteList.xml"), Disconnect()]
        self.target = target
        return [Dial(target, tuple(Endpoint(address, target.port) for address in addresses))]


def _read_request(line: bytes) -> Endpoint:
    if len(line) > MAX_LINE_BYTES:
        raise RefusedError("bad-request", f"a request has at most {MAX_LINE_BYTES} bytes")
    try:
        request = decoded(_request, line, "a request")
    except MessageError as error:
        raise RefusedError("bad-request", str(error)) from error
    return read_target(request.connect)


def _say(answer: _Answer) -> Say:
    return Say(msgspec.json.encode(answer) + b"\n")


def _refuse(code: str, reason: str) -> Say:
    return _say(_Answer(ok=False, code=code, error=reason))
