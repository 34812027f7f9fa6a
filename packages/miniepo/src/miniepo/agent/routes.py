"""Which ways to a handler to try, in which order and how long: pure; `connector` walks them.

A handler is tried by IP, then FQDN, then NetBIOS name, at most six rounds with no delay (domain §4, connection retry);
then the next handler of the list. Handlers that did not answer last time are tried for a short time at each
communication, beside the ways that are known to work, so that the agent returns to its preferred handler and to direct
connections as soon as they are back (domain §5: discovery is repeated at every ASCI).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from miniepo.protocol.discovery import Relay
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import Site

CONNECT_SECONDS = 1.5
DEFAULT_TLS_PORT = 443
WayKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Way:
    """A handler, straight or through a relay."""

    handler: Site
    relay: Relay | None = None

    @property
    def key(self) -> WayKey:
        """Handler's name and relay's GUID ("" = straight)."""
        return self.handler.name, self.relay.guid if self.relay else ""

    @property
    def label(self) -> str:
        """For log lines."""
        through = f" through relay {self.relay.computer_name}" if self.relay else ""
        return f"{self.handler.name}{through}"


@dataclass(frozen=True, slots=True)
class Plan:
    """`remembered` ways are raced, the first of them that connects in its time wins; then `others` one by one."""

    remembered: tuple[Way, ...]
    others: tuple[Way, ...]


def tls_port(handler: Site) -> int:
    """The port on which a handler speaks TLS to agents."""
    return handler.secure_port or DEFAULT_TLS_PORT


def targets(handler: Site) -> tuple[Endpoint, ...]:
    """How a handler is tried: by IP (both families), by FQDN, by NetBIOS name."""
    names = (handler.address, handler.address_v6, handler.host, handler.netbios_name)
    return tuple(Endpoint(name, tls_port(handler)) for name in dict.fromkeys(filter(None, names)))


def plan(handlers: Sequence[Site], unreachable: Iterable[str], relays: Sequence[Relay]) -> Plan:
    """The ways to try. While something is known to be unreachable, everything up to the first way that may work is
    raced; relays count as ways only when every handler is known to be unreachable directly."""
    known = set(unreachable)
    direct = tuple(Way(handler) for handler in handlers)
    reachable = next((index for index, way in enumerate(direct) if way.handler.name not in known), None)
    if reachable is not None:
        raced = direct[: reachable + 1] if reachable else ()
        return Plan(raced, direct[len(raced) :])
    if not relays or not direct:
        return Plan((), direct)
    through = through_relays(handlers, relays[:1])
    return Plan((*direct, *through[:1]), (*through[1:], *through_relays(handlers, relays[1:])))


def through_relays(handlers: Sequence[Site], relays: Sequence[Relay]) -> tuple[Way, ...]:
    """Every handler through the first relay, then through the next: a relay that is gone is left for all of them."""
    return tuple(Way(handler, relay) for relay in relays for handler in handlers)
