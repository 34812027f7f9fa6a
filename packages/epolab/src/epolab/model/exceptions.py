"""What each node's own firewall must let in: the exceptions that stand before its final drop."""

from collections.abc import Collection, Iterable, Iterator

from epolab.model.firewall import FirewallException, Protocol
from epolab.model.node import Node
from epolab.model.paths import segments_of
from epolab.model.ports import (
    BROADCAST,
    CLIENT_AUTHENTICATED,
    CONSOLE,
    DNS,
    EVERYWHERE_V4,
    EVERYWHERE_V6,
    HTTP,
    HTTPS,
    LINK_LOCAL_V6,
    OLD_DISCOVERY,
    SQL,
    SSH,
)
from epolab.model.reach import seen_cidrs
from epolab.model.roles import handlers
from epolab.model.site_lists import (
    discovery_ports,
    relay_clients,
    relay_port,
    repository_clients,
    served_segment,
    shares_port,
    wakeup_port,
)
from epolab.model.topology import Topology

_OPEN: dict[str, tuple[tuple[Protocol, int, str], ...]] = {
    "server": (
        ("tcp", HTTP, "agent-server port and master repository"),
        ("tcp", HTTPS, "agent-server port over TLS"),
        ("tcp", CONSOLE, "console and Web API"),
    ),
    "handler": (
        ("tcp", HTTP, "agent-server port and repository"),
        ("tcp", HTTPS, "agent-server port over TLS"),
    ),
    "updates": (("tcp", HTTP, "vendor content"),),
    "dns": (("udp", DNS, "name service"), ("tcp", DNS, "name service")),
}


def exceptions(topology: Topology, node: Node) -> tuple[FirewallException, ...]:
    """All exceptions of a node, of all its components, without duplicates."""
    found = [*_open_to_all(node), *_of_sql(topology, node), *_of_server(topology, node)]
    if node.has("swarm"):
        found += _of_agent(topology, node)
    if node.has("pushable"):
        found += [*_of_pushable(topology, node), *_of_agent(topology, node)]
    if node.has("agent"):
        found += [*_of_agent(topology, node), *_of_superagent(topology, node), *_of_relay(topology, node)]
    return tuple(dict.fromkeys(found))


def _open_to_all(node: Node) -> Iterator[FirewallException]:
    for component in node.components:
        for protocol, port, reason in _OPEN.get(component, ()):
            yield FirewallException(protocol, port, (EVERYWHERE_V4,), (EVERYWHERE_V6,), None, reason)


def _of_sql(topology: Topology, node: Node) -> Iterator[FirewallException]:
    if node.has("sql"):
        sources = _sources(topology, handlers(topology), node)
        yield _from("tcp", SQL, sources, "postgres", "database for the server and the handlers")


def _of_pushable(topology: Topology, node: Node) -> Iterator[FirewallException]:
    """The administrator's door for push installs, which stands for the admin share; handlers alone come to it."""
    yield _from("tcp", SSH, _sources(topology, handlers(topology), node), None, "push installs")


def _of_server(topology: Topology, node: Node) -> Iterator[FirewallException]:
    """Handlers pass on to the server what agents say on the DataChannel."""
    if node.has("server"):
        sources = _sources(topology, handlers(topology), node)
        yield _from("tcp", CLIENT_AUTHENTICATED, sources, None, "client-to-server authenticated port: DataChannel")


def _of_agent(topology: Topology, node: Node) -> Iterator[FirewallException]:
    """Every agent is called by handlers, and hears broadcasts: connection tracking does not know a relay's answer."""
    callers = _sources(topology, handlers(topology), node)
    yield _from("tcp", wakeup_port(topology, node), callers, "mfeagent", "wake-up calls and log page")
    segments = set(segments_of(node))
    if node.has("relay") and BROADCAST in discovery_ports(topology, node):
        served = {served_segment(node)}
        segments -= served
        reason = "agent broadcast port: SuperAgent wake-ups and relay discovery"
        yield _from_segments(BROADCAST, topology, node, served, "cmamesh", reason)
    if segments:
        reason = "agent broadcast port: SuperAgent wake-ups and relays' answers"
        yield _from_segments(BROADCAST, topology, node, segments, "mfeagent", reason)


def _of_superagent(topology: Topology, node: Node) -> Iterator[FirewallException]:
    clients = repository_clients(topology, node) if node.has("superagent") else ()
    if clients:
        sources = _sources(topology, clients, node)
        yield _from("tcp", wakeup_port(topology, node), sources, "mfeagent", "SuperAgent repository")


def _of_relay(topology: Topology, node: Node) -> Iterator[FirewallException]:
    if not node.has("relay"):
        return
    clients = relay_clients(topology, node)
    if clients:
        sources = _sources(topology, clients, node)
        owner = "mfeagent" if shares_port(topology, node) else "cmamesh"
        yield _from("tcp", relay_port(topology, node), sources, owner, "relay")
    if OLD_DISCOVERY in discovery_ports(topology, node):
        yield _from_segments(OLD_DISCOVERY, topology, node, {served_segment(node)}, "cmamesh", "relay discovery")


Sources = tuple[tuple[str, ...], tuple[str, ...]]
"""CIDR texts, IPv4 and IPv6."""


def _sources(topology: Topology, nodes: Iterable[Node], host: Node) -> Sources:
    """Under which addresses a host sees these nodes, each once: those behind NAT have their router's."""
    cidrs = [seen_cidrs(topology, node, host) for node in nodes]
    v4 = dict.fromkeys(cidr for family, _ in cidrs for cidr in family)
    v6 = dict.fromkeys(cidr for _, family in cidrs for cidr in family)
    return tuple(v4), tuple(v6)


def _from(protocol: Protocol, port: int, sources: Sources, owner: str | None, reason: str) -> FirewallException:
    return FirewallException(protocol, port, *sources, owner, reason)


def _from_segments(
    port: int, topology: Topology, node: Node, segments: Collection[str | None], owner: str, reason: str
) -> FirewallException:
    """UDP from segments of a node; multicast on a link is sent from a link-local address, so those are let in too."""
    on = [s for s in topology.site(node.site).segments if s.path in segments]
    return FirewallException(
        protocol="udp",
        port=port,
        sources_v4=tuple(str(s.ipv4) for s in on),
        sources_v6=(*(str(s.ipv6) for s in on), LINK_LOCAL_V6),
        owner=owner,
        reason=reason,
    )
