"""Who may reach whom through the firewalls of the sites on the way, and those firewalls as address lists."""

from dataclasses import dataclass

from epolab.model.firewall import ANY, Action, FirewallRule
from epolab.model.node import Node
from epolab.model.paths import router, routers_between, site_path
from epolab.model.ports import EVERYWHERE_V4, EVERYWHERE_V6
from epolab.model.topology import Topology


@dataclass(frozen=True, slots=True)
class ForwardRule:
    """One rule of a router's FORWARD chain with names turned into CIDR text; no protocol is all protocols."""

    action: Action
    protocol: str | None
    ports: tuple[int, ...]
    sources_v4: tuple[str, ...]
    sources_v6: tuple[str, ...]
    destinations_v4: tuple[str, ...]
    destinations_v6: tuple[str, ...]


def hidden(topology: Topology, source: Node, destination: Node) -> bool:
    """Whether NAT keeps a new connection away: nobody outside a site behind NAT opens one into it."""
    return source.site != destination.site and topology.site(destination.site).nat


def seen_as(topology: Topology, source: Node, site: str) -> Node:
    """The node whose addresses a site sees as the source of a connection: the router, if the source is behind NAT."""
    return router(topology, source.site) if topology.site(source.site).nat and source.site != site else source


def seen_cidrs(topology: Topology, source: Node, destination: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The host CIDRs, IPv4 and IPv6, under which a node may see connections of another one."""
    if source.site == destination.site or not topology.site(source.site).nat:
        return host_cidrs(source)
    lines = [i for i in router(topology, source.site).interfaces if i.link is not None]
    return tuple(f"{i.ipv4.ip}/32" for i in lines), tuple(f"{i.ipv6.ip}/128" for i in lines)


def reachable(topology: Topology, source: Node, destination: Node, protocol: str, port: int) -> bool:
    """Whether a new connection gets to a node's first address, as far as links, site firewalls and NAT go."""
    if source.path == destination.path:
        return True
    if hidden(topology, source, destination):
        return False
    if site_path(topology.links, source.site, destination.site) is None:
        return False
    on_the_way = routers_between(topology, source, destination)
    return all(passes(topology, r.site, source, destination, protocol, port) for r in on_the_way)


def passes(topology: Topology, site: str, source: Node, destination: Node, protocol: str, port: int) -> bool:
    """Whether one site's firewall lets a new connection through: the first rule that matches decides.

    Whoever comes from behind NAT is, to the firewalls of other sites, the router of its own.
    """
    firewall, seen = topology.site(site).firewall, seen_as(topology, source, site)
    for rule in firewall.rules:
        if _matches(rule, seen, destination, protocol, port):
            return rule.action == "allow"
    return firewall.default == "allow"


def _matches(rule: FirewallRule, source: Node, destination: Node, protocol: str, port: int) -> bool:
    names = _named(rule.sources, source) and _named(rule.destinations, destination)
    service = rule.protocol in (None, protocol) and (not rule.ports or port in rule.ports)
    return names and service


def _named(names: tuple[str, ...], node: Node) -> bool:
    return any(name in (ANY, node.site, node.path) for name in names)


def forward_rules(topology: Topology, site: str) -> tuple[ForwardRule, ...]:
    """The rules of a site's firewall as a router can apply them, in order; the default follows them."""
    return tuple(_forward_rule(topology, rule) for rule in topology.site(site).firewall.rules)


def _forward_rule(topology: Topology, rule: FirewallRule) -> ForwardRule:
    sources = [cidrs_of(topology, name) for name in rule.sources]
    destinations = [cidrs_of(topology, name) for name in rule.destinations]
    return ForwardRule(
        action=rule.action,
        protocol=rule.protocol,
        ports=rule.ports,
        sources_v4=tuple(cidr for v4, _ in sources for cidr in v4),
        sources_v6=tuple(cidr for _, v6 in sources for cidr in v6),
        destinations_v4=tuple(cidr for v4, _ in destinations for cidr in v4),
        destinations_v6=tuple(cidr for _, v6 in destinations for cidr in v6),
    )


def cidrs_of(topology: Topology, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The IPv4 and IPv6 CIDRs that a name of a firewall rule stands for; a site includes its router's transit ends."""
    if name == ANY:
        return ((EVERYWHERE_V4,), (EVERYWHERE_V6,))
    if "/" in name:
        return host_cidrs(topology.node(name))
    segments = topology.site(name).segments
    transit = [i for i in router(topology, name).interfaces if i.link is not None]
    v4 = (*(str(s.ipv4) for s in segments), *(f"{i.ipv4.ip}/32" for i in transit))
    v6 = (*(str(s.ipv6) for s in segments), *(f"{i.ipv6.ip}/128" for i in transit))
    return (v4, v6)


def host_cidrs(node: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All addresses of a node as host CIDRs, IPv4 and IPv6."""
    v4 = tuple(f"{i.ipv4.ip}/32" for i in node.interfaces)
    v6 = tuple(f"{i.ipv6.ip}/128" for i in node.interfaces)
    return (v4, v6)
