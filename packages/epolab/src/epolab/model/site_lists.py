"""What each agent is told and should do: its group, policies, handlers, repositories and relays."""

from dataclasses import dataclass
from ipaddress import ip_network

from epolab.model.management import Category, HandlerRule, Policy
from epolab.model.node import ZONE, Node
from epolab.model.paths import segments_of
from epolab.model.ports import (
    AGENT_WAKEUP,
    BROADCAST,
    BROADCASTS_SINCE,
    HTTPS,
    OLD_DISCOVERY,
    RELAY,
    RELAY_DISCOVERY,
)
from epolab.model.reach import reachable
from epolab.model.roles import handlers, nodes_with, relays, repositories
from epolab.model.topology import Topology


@dataclass(frozen=True, slots=True)
class SiteList:
    """The handlers in order and the distributed repositories, nearest first, that an agent's SiteList.xml names."""

    handlers: tuple[Node, ...]
    repositories: tuple[Node, ...]

    @property
    def paths(self) -> frozenset[str]:
        """The paths of all sites in the list."""
        return frozenset(node.path for node in (*self.handlers, *self.repositories))


def swarm_group(node: Node) -> str:
    """The path of the group that the agents of a swarm are in: one of their own, in that of their site."""
    return f"{node.site}/{node.name}"


def swarm_members(node: Node) -> tuple[str, ...]:
    """The full names of a swarm's agents, which are systems of their own."""
    return tuple(f"{node.name}-{number:04d}.{node.site}.{ZONE}" for number in range(1, node.swarm + 1))


def systems_of(node: Node) -> tuple[str, ...]:
    """The full names of the systems that a node is at the server: one for its agent, one for each of a swarm's."""
    return (*([node.fqdn] if node.has("agent") else []), *swarm_members(node))


def group_of(topology: Topology, node: Node) -> str:
    """The path of the group a system (or a swarm, where the node has no agent) is in, `""` for My Organization."""
    if node.swarm and not node.has("agent"):
        return swarm_group(node)
    return next((g.path for g in topology.management.groups if node.path in g.systems), "")


def group_lineage(path: str) -> tuple[str, ...]:
    """A group and all groups above it, the nearest first, `""` (My Organization) last."""
    parts = [part for part in path.split("/") if part]
    return tuple("/".join(parts[:depth]) for depth in range(len(parts), -1, -1))


def policies_of(topology: Topology, node: Node) -> dict[Category, Policy]:
    """The policy of each category that is in force on a system: its own, else the nearest group's."""
    by_name = {policy.name: policy for policy in topology.management.policies}
    assignments = topology.management.assignments
    found: dict[Category, Policy] = {}
    levels = [[a.policy for a in assignments if a.system == node.path]]
    lineage = group_lineage(group_of(topology, node))
    levels += [[a.policy for a in assignments if a.system is None and a.group == group] for group in lineage]
    for policy in (by_name[name] for level in levels for name in level):
        found.setdefault(policy.category, policy)
    return found


def refuses_relay(topology: Topology, node: Node) -> bool:
    """Whether a policy turns an agent into a relay that cannot be one: it stays what it is."""
    policy = policies_of(topology, node).get("relay") if node.has("agent") else None
    return policy is not None and policy.settings.get("enabled") is True and not node.can_relay


def handler_rule(topology: Topology, node: Node) -> HandlerRule:
    """The first handler rule that applies to an agent; the default rule, which is last, applies to all."""
    lineage = group_lineage(group_of(topology, node))
    return next(rule for rule in topology.management.handlers if _applies(rule, node, lineage))


def _applies(rule: HandlerRule, node: Node, lineage: tuple[str, ...]) -> bool:
    """Of a rule for a group and for subnets both must hold."""
    in_group = rule.group is None or rule.group in lineage
    return in_group and (not rule.subnets or any(_in_subnet(node, subnet) for subnet in rule.subnets))


def _in_subnet(node: Node, subnet: str) -> bool:
    """By the addresses that an agent reports, those of its first interface."""
    network = ip_network(subnet)
    return any(address in network for address in (node.ipv4, node.ipv6))


def handler_tiers(topology: Topology, node: Node) -> tuple[tuple[Node, ...], ...]:
    """The handlers that an agent is assigned, in the order in which it tries them; among those of a tier it draws."""
    everyone = tuple(handler.path for handler in handlers(topology))
    use = handler_rule(topology, node).use
    tiers = [tier for name in use for tier in _tiers_named(topology, name)] if use else [everyone]
    seen: set[str] = set()
    found = []
    for tier in tiers:
        fresh = [path for path in tier if path not in seen]
        seen.update(fresh)
        found += [tuple(topology.node(path) for path in fresh)] if fresh else []
    return tuple(found)


def _tiers_named(topology: Topology, name: str) -> list[tuple[str, ...]]:
    group = next((group for group in topology.management.handler_groups if group.name == name), None)
    if group is None:
        return [(name,)]
    return [group.handlers] if group.spread else [(path,) for path in group.handlers]


def handler_order(topology: Topology, node: Node) -> tuple[Node, ...]:
    """The same, tier after tier: those of a tier in the order in which the site list names them."""
    return tuple(handler for tier in handler_tiers(topology, node) for handler in tier)


def direct_handlers(topology: Topology, node: Node) -> tuple[Node, ...]:
    """Those of its handlers that an agent reaches without a relay, in its order."""
    return tuple(h for h in handler_order(topology, node) if reachable(topology, node, h, "tcp", HTTPS))


def wakers(topology: Topology, node: Node) -> tuple[Node, ...]:
    """The handlers whose wake-up calls get to an agent: those of its list that the site firewalls let through.

    Agents before 4.5 answer the first handler of their list only (domain: agent-server communication).
    """
    port = wakeup_port(topology, node)
    listed = handler_order(topology, node)
    callers = listed if node.answers_all_handlers else listed[:1]
    return tuple(h for h in callers if reachable(topology, h, node, "tcp", port))


def needs_relay(topology: Topology, node: Node) -> bool:
    """Whether an agent reaches none of its handlers directly."""
    return not direct_handlers(topology, node)


def relays_for(topology: Topology, node: Node) -> tuple[Node, ...]:
    """The relays that answer an agent's broadcast: others that serve one of its segments and listen where it asks.

    None where its version does not know of relays, or its policy forbids it to ask.
    """
    if not node.looks_for_relays:
        return ()
    policy = policies_of(topology, node).get("relay")
    if policy is not None and policy.settings.get("discover") == "never":
        return ()
    near = [r for r in relays(topology) if r.path != node.path and served_segment(r) in segments_of(node)]
    return tuple(r for r in near if discovery_port(node) in discovery_ports(topology, r))


def relay_clients(topology: Topology, relay: Node) -> tuple[Node, ...]:
    """The agents, and then the swarms, that may come to a relay: those on the segment it serves."""
    segment = served_segment(relay)
    nodes = (*nodes_with(topology, "agent"), *nodes_with(topology, "swarm"))
    return tuple(node for node in nodes if node.path != relay.path and segment in segments_of(node))


def relay_port(topology: Topology, relay: Node) -> int:
    """The TCP port a relay serves: its wake-up port in 5.x, and by its policy before, or where that says so."""
    if shares_port(topology, relay):
        return wakeup_port(topology, relay)
    policy = policies_of(topology, relay).get("relay")
    port = policy.settings.get("port", RELAY) if policy else RELAY
    return port if isinstance(port, int) else RELAY


def shares_port(topology: Topology, relay: Node) -> bool:
    """Whether a relay takes connections on its agent's wake-up port: in 5.x (domain: port table), unless its policy
    gives it a port of its own."""
    policy = policies_of(topology, relay).get("relay")
    own = policy is not None and policy.settings.get("ownPort") is True
    return discovery_port(relay) == BROADCAST and not own


def discovery_ports(topology: Topology, relay: Node) -> tuple[int, ...]:
    """The UDP ports on which a relay hears discoveries, by its policy."""
    policy = policies_of(topology, relay).get("relay")
    ports = policy.settings.get("discoveryPorts", RELAY_DISCOVERY) if policy else RELAY_DISCOVERY
    return tuple(port for port in ports if isinstance(port, int)) if isinstance(ports, list | tuple) else ()


def discovery_port(node: Node) -> int:
    """The UDP port on which an agent of this version asks for relays (domain: port table)."""
    return BROADCAST if int(node.version.partition(".")[0]) >= BROADCASTS_SINCE else OLD_DISCOVERY


def wakeup_port(topology: Topology, node: Node) -> int:
    """The TCP port on which an agent hears wake-up calls, by its policy."""
    policy = policies_of(topology, node).get("agent")
    port = policy.settings.get("wakeupPort", AGENT_WAKEUP) if policy else AGENT_WAKEUP
    return port if isinstance(port, int) else AGENT_WAKEUP


def site_list(topology: Topology, node: Node) -> SiteList:
    """What an agent's SiteList.xml must say."""
    near = sorted(repositories(topology), key=lambda r: _distance(node, r))
    return SiteList(handlers=handler_order(topology, node), repositories=tuple(near))


def _distance(node: Node, repository: Node) -> int:
    if node.path == repository.path:
        return 0
    if served_segment(repository) in segments_of(node):
        return 1
    return 2 if node.site == repository.site else 3


def repository_of(topology: Topology, node: Node) -> Node:
    """Where an agent takes content from in subnet mode: the nearest SuperAgent of its segment, else its handler."""
    near = _nearest(node, repositories(topology))
    return near or (direct_handlers(topology, node) or handler_order(topology, node))[0]


def _nearest(node: Node, held: tuple[Node, ...]) -> Node | None:
    """The repository on an agent's own segment, if there is one; of several the one with the nearest address."""
    return min(
        (r for r in held if served_segment(r) in segments_of(node)),
        key=lambda r: _address_distance(node, r),
        default=None,
    )


def served_segment(node: Node) -> str | None:
    """The one segment that a SuperAgent or relay serves: that of its first interface, by whose addresses it is named.

    On its other segments it is an agent like others, and its firewall has exceptions for no clients there.
    """
    return node.interfaces[0].segment


def _address_distance(node: Node, repository: Node) -> int:
    """The bits in which the addresses differ, as a number: 0 is the agent itself."""
    return min(int(repository.ipv4) ^ int(i.ipv4.ip) for i in node.interfaces)


def repository_clients(topology: Topology, repository: Node) -> tuple[Node, ...]:
    """The agents of the segment it serves that take content from a SuperAgent, itself not counted."""
    held, segment = repositories(topology), served_segment(repository)
    users = [a for a in nodes_with(topology, "agent") if a.path != repository.path and segment in segments_of(a)]
    return tuple(a for a in users if _nearest(a, held) == repository)


def missing_handlers(topology: Topology, relay: Node, client: Node) -> tuple[Node, ...]:
    """Handlers of a client's list that a relay's list lacks: the relay would refuse to forward to them."""
    known = {h.path for h in handler_order(topology, relay)}
    return tuple(h for h in handler_order(topology, client) if h.path not in known)
