"""Which ways to a handler to try, in which order and how long: pure; `connector` walks them.

A handler is tried by IP, then FQDN, then NetBIOS name, at most six rounds with no delay (domain §4, connection retry);
then the next handler of the list. Handlers that did not answer last time are tried for a short time at each
communication, beside the ways that are known to work, so that the agent returns to its preferred handler and to direct
connections as soon as they are back (domain §5: discovery is repeated at every ASCI).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from miniepo.protocol.discovery import Relay
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import Site

CONNECT_SECONDS = 1.5
DEFAULT_TLS_PORT = 443
WayKey = tuple[str, str]
DiscoveryMode = Literal["needed", "always", "never"]
"""When an agent looks for relays; see `discovers`."""


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
    def memory(self) -> str:
        """Under which word it is remembered that the handler did not answer this way."""
        return f"{self.handler.name} through a relay" if self.relay else self.handler.name

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


def discovers(mode: DiscoveryMode, all_unreachable: bool) -> bool:
    """Whether a communication begins with a discovery.

    "needed": an agent that reached no handler directly last time discovers at every ASCI (source S1); one whose
    handlers fail only now discovers then. [uncertain] whether agents that get through directly do so too: "always".
    "never": the agent uses no relay but those that it has cached.
    """
    return mode == "always" or (mode == "needed" and all_unreachable)


def tls_port(handler: Site) -> int:
    """The port on which a handler speaks TLS to agents."""
    return handler.secure_port or DEFAULT_TLS_PORT


def targets(handler: Site) -> tuple[tuple[Endpoint, ...], ...]:
    """How a handler is tried: by IP (both families beside each other), then by FQDN, then by NetBIOS name."""
    return targets_at(handler, tls_port(handler))


def targets_at(site: Site, port: int) -> tuple[tuple[Endpoint, ...], ...]:
    """The same for any site and port."""
    addresses = tuple(filter(None, (site.address, site.address_v6)))
    names = tuple(name for name in dict.fromkeys((site.host, site.netbios_name)) if name and name not in addresses)
    groups = (addresses, *((name,) for name in names))
    return tuple(tuple(Endpoint(host, port) for host in group) for group in groups if group)


def asked_of_relay(site: Site, port: int) -> tuple[Endpoint, ...]:
    """What a relay is asked to connect to: the site's IP, then its FQDN, which the relay resolves for both families."""
    names = (site.address or site.address_v6, site.host)
    return tuple(Endpoint(name, port) for name in dict.fromkeys(filter(None, names)))


def plan(handlers: Sequence[Site], unreachable: Iterable[str], relays: Sequence[Relay]) -> Plan:
    """The ways to try. While something is known to be unreachable, everything up to the first way that may work is
    raced; relays count as ways only when every handler is known to be unreachable directly."""
    known = set(unreachable)
    direct = tuple(Way(handler) for handler in handlers)
    if not direct or not all(way.memory in known for way in direct):
        return _split(direct, known)
    through = _split(through_relays(handlers, relays[:1]), known, at_least=1)
    return Plan((*direct, *through.remembered), (*through.others, *through_relays(handlers, relays[1:])))


def _split(ways: tuple[Way, ...], known: set[str], at_least: int = 0) -> Plan:
    """Race everything up to the first way that is not known to fail, unless the very first one is that."""
    hopeful = next((index for index, way in enumerate(ways) if way.memory not in known), len(ways) - 1)
    raced = hopeful + 1 if hopeful else at_least
    return Plan(ways[:raced], ways[raced:])


def through_relays(handlers: Sequence[Site], relays: Sequence[Relay]) -> tuple[Way, ...]:
    """Every handler through the first relay, then through the next: a relay that is gone is left for all of them."""
    return tuple(Way(handler, relay) for relay in relays for handler in handlers)
