"""What the policies in force make of each agent: its roles, its ASCI, its share of memory, and its repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from epolab.model.facts import policies_of
from epolab.model.management import Repository
from epolab.model.node import Kind, Node
from epolab.model.topology import Topology
from epolab.topology.draft import Draft

ROLES = ("relay", "superagent", "repository")
"""The roles that only a policy gives; as components they are shorthand for one."""

BASE_MIB = 24
COMPONENT_MIB = {
    "server": 160,
    "sql": 160,
    "handler": 96,
    "updates": 48,
    "dns": 8,
    "agent": 40,
    "relay": 32,
    "superagent": 16,
    "pushable": 48,
    "swarm": 60,
}
SWARM_AGENT_KIB = 60
VM_MIB = 512


def with_policies_in_force(draft: Draft, topology: Topology) -> Topology:
    """The topology as the server's policies will have it, whatever components were written."""
    sites = tuple(
        replace(site, nodes=tuple(_governed(draft, topology, node) for node in site.nodes)) for site in topology.sites
    )
    repositories = tuple(_repositories(draft, topology))
    return replace(topology, sites=sites, management=replace(topology.management, repositories=repositories))


def roles_in_force(topology: Topology, node: Node) -> frozenset[str]:
    """Which of the roles an agent has; a node without an agent has none, and no agent is what it cannot be."""
    policies = policies_of(topology, node) if node.has("agent") else {}
    relay, superagent = (policies[c].settings if c in policies else {} for c in ("relay", "superagent"))
    found = {"relay"} if relay.get("enabled") is True and node.can_relay else set()
    if superagent.get("enabled") is True:
        found |= {"superagent", "repository"} if superagent.get("repository") is True else {"superagent"}
    return frozenset(found)


def _governed(draft: Draft, topology: Topology, node: Node) -> Node:
    if not node.has("agent"):
        return replace(node, asci_seconds=_asci(topology, node)) if node.swarm else node
    roles = roles_in_force(topology, node)
    kept = [component for component in node.components if component not in ROLES or component in roles]
    given = [role for role in ("relay", "superagent") if role in roles and role not in kept]
    governed = replace(node, components=(*kept, *given), asci_seconds=_asci(topology, node))
    memory = draft.by_path[node.path].file.memory
    needed = default_memory_mib(node.kind, (*kept, *given), node.swarm)
    return replace(governed, memory_mib=int(memory.value) if memory else needed)


def _asci(topology: Topology, node: Node) -> float:
    policy = policies_of(topology, node).get("agent")
    asci = policy.settings.get("asciSeconds") if policy else None
    return float(asci) if isinstance(asci, int | float) else node.asci_seconds


def default_memory_mib(kind: Kind, components: tuple[str, ...], swarm: int = 0) -> int:
    """What a node is reckoned to need: its components, each agent of a swarm, a whole system's share if it is a VM."""
    agents = -(-swarm * SWARM_AGENT_KIB // 1024)
    if kind == "vm":
        return VM_MIB + agents
    return BASE_MIB + sum(COMPONENT_MIB.get(component, 0) for component in components) + agents


def _repositories(draft: Draft, topology: Topology) -> Iterator[Repository]:
    names: dict[str, str] = {}
    for written in draft.management.repositories.value if draft.management.repositories else ():
        for place in draft.expand(written.value.node.value) if written.value.node else ():
            names[place.path] = written.value.name.value if written.value.name else ""
    for node in topology.nodes:
        if "repository" in roles_in_force(topology, node):
            yield Repository(names.get(node.path) or f"ePOSA_{node.name.upper()}", node.path, "superagent")
