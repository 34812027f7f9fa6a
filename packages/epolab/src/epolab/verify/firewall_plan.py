"""Which visits show that the exceptions of the agents work: who knocks where, invited or not (pure)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network

from epolab.model import facts
from epolab.model.firewall import FirewallException
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.knocks import Knock
from epolab.verify.line_time import patience_seconds

# an address of the transit range that no link uses; a site's router takes it for the moment of the check
STRANGER_V4 = "100.64.255.1"
STRANGER_V6 = "fd00:64:ffff::1"

DISCOVERY = json.dumps({"discover": "relay", "nonce": "verdict"}).encode().hex()


@dataclass(frozen=True, slots=True)
class Visit:
    """One knock by a guest (node path) at a host (node path)."""

    guest: str
    host: str
    knock: Knock
    reason: str

    @property
    def text(self) -> str:
        """The visit for people."""
        source = self.knock.source or self.guest
        family = 6 if ":" in self.knock.address else 4
        return f"{self.knock.port}/{self.knock.protocol} from {source} over IPv{family} ({self.reason})"


def walled(topology: Topology) -> tuple[Node, ...]:
    """The nodes whose firewalls are examined: those that run agents."""
    return (*facts.agents(topology), *facts.swarms(topology))


def answering(topology: Topology, node: Node) -> list[FirewallException]:
    """The exceptions of a node behind which somebody answers a single knock.

    The agent's broadcast port is listened to and never answers an unsigned datagram, so it is judged by its
    rules alone; a relay answers discovery.
    """
    found = []
    for exception in facts.exceptions(topology, node):
        if exception.protocol == "tcp" or exception.owner == "cmamesh":
            found.append(exception)
    return found


def welcome_visits(topology: Topology, absent: Collection[str] = ()) -> list[Visit]:
    """A visit in each family for each exception of each such node, by the nodes it names that the sites let through.

    Nodes that do not run (`absent`, paths) speak for a whole segment only where there is nobody else.
    """
    visits = []
    for host in walled(topology):
        for exception in answering(topology, host):
            for guest in _guests(topology, host, exception, absent):
                visits += _knocks(topology, guest, host, exception, None)
    return visits


def _guests(topology: Topology, host: Node, exception: FirewallException, absent: Collection[str]) -> Iterator[Node]:
    """The nodes an exception names; for a whole segment one of them is enough."""
    named = [node for node in topology.nodes if node.path != host.path and _names(topology, exception, node, host)]
    let_through = [n for n in named if facts.reachable(topology, n, host, exception.protocol, exception.port)]
    whole_segment = any(ip_network(cidr).num_addresses > 1 for cidr in exception.sources_v4)
    let_through.sort(key=lambda node: node.path in absent)
    yield from let_through[:1] if whole_segment else let_through


def _names(topology: Topology, exception: FirewallException, node: Node, host: Node) -> bool:
    """Whether an exception of a host lets a node in: under its first address, or its router's if it is behind NAT."""
    masked = facts.hidden(topology, host, node)
    seen = [ip_network(cidr) for cidr in facts.seen_cidrs(topology, node, host)[0]] if masked else [node.ipv4]
    return any(_covers(ip_network(cidr), each) for cidr in exception.sources_v4 for each in seen)


def _covers(network: IPv4Network | IPv6Network, seen: IPv4Network | IPv6Network | IPv4Address) -> bool:
    return ip_network(seen).subnet_of(network)  # type: ignore[arg-type]


def strangers_visits(topology: Topology, absent: Collection[str] = ()) -> list[Visit]:
    """For each exception that is not open to everybody: a visit in each family from an address it does not name.

    A host that nobody who is not named can come to has no such visit. Who does not run (`absent`, paths), or has to
    come past a router that does not, is sent only where there is nobody else.
    """
    visits = []
    for host in walled(topology):
        for exception in answering(topology, host):
            if not any("0.0.0.0/0" in each.sources_v4 for each in _of_same_port(topology, host, exception)):
                visits += _strangers_knocks(topology, host, exception, absent)
    return list(dict.fromkeys(visits))


def _of_same_port(topology: Topology, host: Node, exception: FirewallException) -> list[FirewallException]:
    service = (exception.protocol, exception.port)
    return [each for each in facts.exceptions(topology, host) if (each.protocol, each.port) == service]


def _strangers_knocks(
    topology: Topology, host: Node, exception: FirewallException, absent: Collection[str]
) -> list[Visit]:
    """From the site's router under an address that is nobody's; a router is visited by another node under its own.

    That is never one of a line: what comes from the other end of its line, a router lets in.
    """
    router = facts.router(topology, host.site)
    if host.path != router.path:
        return _knocks(topology, router, host, exception, (STRANGER_V4, STRANGER_V6))
    guest = _unnamed(topology, host, exception, absent)
    return [] if guest is None else _knocks(topology, guest, host, exception, (str(guest.ipv4), str(guest.ipv6)))


def _unnamed(topology: Topology, host: Node, exception: FirewallException, absent: Collection[str]) -> Node | None:
    """The nearest node that no exception for this port names and that the sites let through, if there is one."""

    def hindered(node: Node) -> bool:
        return any(each.path in absent for each in (node, *facts.routers_between(topology, node, host)))

    named = _of_same_port(topology, host, exception)
    others = [
        node
        for node in topology.nodes
        if node.path != host.path
        and node.interfaces[0].segment is not None
        and not any(_names(topology, each, node, host) for each in named)
        and facts.reachable(topology, node, host, exception.protocol, exception.port)
    ]
    return min(others, key=lambda node: (hindered(node), _links_away(topology, node, host)), default=None)


def _links_away(topology: Topology, node: Node, host: Node) -> int:
    return 0 if facts.shares_segment(node, host) else 1 + len(facts.links_between(topology, node, host))


def _knocks(
    topology: Topology, guest: Node, host: Node, exception: FirewallException, sources: tuple[str, str] | None
) -> list[Visit]:
    send = DISCOVERY if exception.protocol == "udp" else ""
    patience = patience_seconds(topology, guest, host)
    v4, v6 = sources or (None, None)
    pairs = ((str(host.ipv4), v4), (str(host.ipv6), v6))
    return [
        Visit(
            guest.path,
            host.path,
            Knock(exception.protocol, address, exception.port, send, source, patience),
            exception.reason,
        )
        for address, source in pairs
    ]
