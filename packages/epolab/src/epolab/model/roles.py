"""Who is who in a lab: the nodes by component, in the order that matters."""

from epolab.model.node import Node
from epolab.model.paths import links_from, router
from epolab.model.topology import Topology

UPDATE_ALIAS = "update.nai.com"


def nodes_with(topology: Topology, component: str) -> tuple[Node, ...]:
    """All nodes that carry a component, in file order."""
    return tuple(node for node in topology.nodes if node.has(component))


def server(topology: Topology) -> Node:
    """The one node that carries the server."""
    return nodes_with(topology, "server")[0]


def sql(topology: Topology) -> Node:
    """The one node that carries the database."""
    return nodes_with(topology, "sql")[0]


def handlers(topology: Topology) -> tuple[Node, ...]:
    """The server (it has a handler built in), then the remote handlers in file order."""
    first = server(topology)
    return (first, *(node for node in nodes_with(topology, "handler") if node != first))


def updates(topology: Topology) -> Node | None:
    """The vendor's update server, if the lab has one."""
    return next(iter(nodes_with(topology, "updates")), None)


def agents(topology: Topology) -> tuple[Node, ...]:
    """All nodes with an agent, relays and SuperAgents among them."""
    return nodes_with(topology, "agent")


def swarms(topology: Topology) -> tuple[Node, ...]:
    """The nodes that run many agents in one process."""
    return nodes_with(topology, "swarm")


def pushables(topology: Topology) -> tuple[Node, ...]:
    """The nodes without an agent that one can be pushed to."""
    return nodes_with(topology, "pushable")


def relays(topology: Topology) -> tuple[Node, ...]:
    """The agents that the management tree turns into relays."""
    return nodes_with(topology, "relay")


def superagents(topology: Topology) -> tuple[Node, ...]:
    """The agents that the management tree turns into SuperAgents."""
    return nodes_with(topology, "superagent")


def repositories(topology: Topology) -> tuple[Node, ...]:
    """The SuperAgents that hold a distributed repository."""
    return tuple(topology.node(r.node) for r in topology.management.repositories)


def routers(topology: Topology) -> tuple[Node, ...]:
    """The router of each site, in file order."""
    return tuple(router(topology, site.name) for site in topology.sites)


def resolver(topology: Topology, node: Node) -> Node | None:
    """The node whose DNS serves a node: itself, a DNS node of its site, its router, or the nearest site's."""
    if node.has("dns"):
        return node
    distance = {site: len(way) for site, way in links_from(topology.links, node.site).items()}
    served = [n for n in nodes_with(topology, "dns") if n.site in distance]
    return min(served, key=lambda n: (distance[n.site], n.has("router")), default=None)


def hosts(topology: Topology) -> tuple[tuple[str, str, str], ...]:
    """Every name of the lab as (address, full name, short name), both families; an alias has no short name.

    A name stands for the addresses on the node's first network, as its entry in a site list does: whoever asks for it
    gets there by the way that is known. Its other addresses have no name.
    """
    named = [(node, node.fqdn, node.name) for node in topology.nodes]
    vendor = updates(topology)
    if vendor is not None:
        named.append((vendor, UPDATE_ALIAS, ""))
    return tuple((address, fqdn, short) for node, fqdn, short in named for address in (str(node.ipv4), str(node.ipv6)))


def segment_addresses(node: Node) -> tuple[str, ...]:
    """The node's addresses on segments as text, both families of each interface."""
    on_segments = [i for i in node.interfaces if i.segment is not None]
    return tuple(str(ip) for i in on_segments for ip in (i.ipv4.ip, i.ipv6.ip))


def memory_mib(topology: Topology) -> int:
    """What all nodes together are expected to need."""
    return sum(node.memory_mib for node in topology.nodes)
