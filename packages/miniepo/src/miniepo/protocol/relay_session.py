"""How a relay is asked to forward and what it answers: one line each way, then the bytes of a TLS connection.

A relay connects only to the sites listed in its own SiteList.xml and ends the pair of connections after the transfer
(domain §5, source S1). Events in, commands out; `miniepo.relay` has the sockets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from miniepo.errors import RefusedError, SiteListError, TransferError
from miniepo.protocol.sitelist import Site, SiteList, join_host_port, split_host_port

MAX_LINE_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host (a name or an address) and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return join_host_port(self.host, self.port)


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
        answer = _answer.decode(line)
    except msgspec.DecodeError as error:
        raise TransferError(f"not the answer of a relay: {error}") from error
    if not answer.ok:
        raise RefusedError(answer.code or "relay-refused", answer.error)


# --- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineReceived:
    """The client's first line."""

    line: bytes


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


Event = LineReceived | TargetConnected | TargetUnreachable | TransferEnded

# --- commands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect to the site."""

    target: Endpoint


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


def allowed_targets(sitelist: SiteList, resolved: Mapping[str, tuple[str, ...]]) -> frozenset[Endpoint]:
    """Every host:port that the sites of a list stand for: their literal entries and what their names resolve to."""
    return frozenset(
        Endpoint(host.lower(), port)
        for site in sitelist.sites
        if site.enabled
        for name in _names(site)
        for host in (name, *resolved.get(name, ()))
        for port in {site.port, site.secure_port or site.port}
    )


def _names(site: Site) -> tuple[str, ...]:
    return tuple(name for name in (site.host, site.address, site.address_v6, site.netbios_name) if name)


def names_to_resolve(sitelist: SiteList) -> tuple[str, ...]:
    """The host names of the enabled sites."""
    return tuple(dict.fromkeys(site.host for site in sitelist.sites if site.enabled and site.host))


class RelaySession:
    """One client's connection to a relay."""

    def __init__(self, allowed: frozenset[Endpoint]) -> None:
        self._allowed = allowed
        self.target: Endpoint | None = None

    def receive(self, event: Event) -> list[Command]:
        """What to do about an event."""
        if isinstance(event, LineReceived):
            return self._asked(event.line)
        if isinstance(event, TargetConnected):
            return [_say(_Answer(ok=True)), Splice()]
        if isinstance(event, TargetUnreachable):
            return [_refuse("unreachable", event.reason), Disconnect()]
        return [Disconnect()]

    def _asked(self, line: bytes) -> list[Command]:
        try:
            host, port = split_host_port(_request.decode(line).connect)
        except (msgspec.DecodeError, SiteListError) as error:
            return [_refuse("bad-request", f"not a request: {error}"), Disconnect()]
        target = Endpoint(host, port)
        if Endpoint(host.lower(), port) not in self._allowed:
            return [_refuse("not-listed", f"{target} is not a site of this relay's SiteList.xml"), Disconnect()]
        self.target = target
        return [Dial(target)]


def _say(answer: _Answer) -> Say:
    return Say(msgspec.json.encode(answer) + b"\n")


def _refuse(code: str, reason: str) -> Say:
    return _say(_Answer(ok=False, code=code, error=reason))
