"""How several relays must share the load of many agents (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from math import comb

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import HTTPS
from epolab.model.topology import Topology

MANY = 20
"""Of so many agents it can be told whether their relays share the load."""
ASKED_AT_MOST = 500
"""So many agents are told to call in at once."""
RARE = 1e-5

Broken = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Crowd:
    """The agents of a segment that live through the same relays: their nodes, the one with most agents in front."""

    nodes: tuple[Node, ...]
    relays: tuple[Node, ...]

    @property
    def agents(self) -> tuple[str, ...]:
        """Their full names."""
        return tuple(name for node in self.nodes for name in facts.systems_of(node))


@dataclass(frozen=True, slots=True)
class Arrival:
    """How an agent came to a handler (node path): through which relay (computer name), and from which address."""

    handler: str
    relay: str | None
    address: str


def crowds(topology: Topology) -> tuple[Crowd, ...]:
    """Agents that are many, not too many to be asked, and live through two relays or more, each of which is as likely
    to answer first."""
    groups: dict[tuple[str, ...], list[Node]] = {}
    for node in (*facts.swarms(topology), *facts.agents(topology)):
        if facts.needs_relay(topology, node):
            near = [relay for relay in facts.relays_for(topology, node) if _leads_on(topology, node, relay)]
            groups.setdefault(tuple(relay.path for relay in near), []).append(node)
    found = [
        Crowd(
            tuple(sorted(nodes, key=lambda node: -len(facts.systems_of(node)))),
            tuple(topology.node(path) for path in relays),
        )
        for relays, nodes in groups.items()
    ]
    return tuple(
        each for each in found if MANY <= len(each.agents) <= ASKED_AT_MOST and _draw_fairly(topology, each.relays)
    )


def _leads_on(topology: Topology, node: Node, relay: Node) -> bool:
    """Whether an agent gets to one of its handlers through a relay."""
    listed = [
        handler for handler in facts.handler_order(topology, relay) if handler in facts.handler_order(topology, node)
    ]
    return any(facts.reachable(topology, relay, handler, "tcp", HTTPS) for handler in listed)


def _draw_fairly(topology: Topology, relays: tuple[Node, ...]) -> bool:
    """Whether relays draw their delays from the same time, and none answers at once."""
    policies = [facts.policies_of(topology, relay).get("relay") for relay in relays]
    within = {policy.settings.get("answerWithinMs") if policy else None for policy in policies}
    return len(relays) > 1 and len(within) == 1 and 0 not in within


def most(agents: int, relays: int) -> int:
    """How many agents one of several relays may carry at most, when each agent has drawn one of them.

    Each of n agents draws one of r relays, all as likely, on its own: a relay is drawn by exactly k of them with the
    probability C(n, k) (1/r)^k (1 - 1/r)^(n - k). That any of the r relays is drawn by more than m is at most r times
    the sum of this over k > m, and m is the least number for which that is below 1 in 100,000: 13 of 22 agents at
    six relays, 16 of 20 at three, 19 of 20 at two. That they all draw the same one is within that: r^(1 - n).
    """

    whole, beyond = relays ** (agents - 1), 0
    for bound in range(agents, 0, -1):
        beyond += comb(agents, bound) * (relays - 1) ** (agents - bound)
        if beyond / whole >= RARE:
            return bound
    return 0


def wrong_arrivals(topology: Topology, crowd: Crowd, seen: Mapping[str, Arrival]) -> Broken:
    """What is wrong with how agents, which had forgotten their relays, came in then (by full name), each by itself."""
    path, agents = crowd.nodes[0].path, crowd.agents
    missing = [name for name in agents if name not in seen]
    came = [(name, seen[name]) for name in agents if name in seen]
    strange = [f"{name} {_text(each)}" for name, each in came if not _is_right(topology, crowd, each)]
    broken = [
        (
            f"each of {len(agents)} agents that have forgotten their relays calls in",
            missing and f"not {_some(missing)}",
        ),
        (f"each comes through one of {_names(crowd)}, from its address", strange and _some(strange)),
    ]
    return [(f"{path}: {wanted}", f"{path}: {observed}") for wanted, observed in broken if observed]


def wrong_shares(topology: Topology, crowd: Crowd, seen: Mapping[str, Arrival]) -> Broken:
    """What is wrong with how many of these agents each relay carries."""
    path, agents = crowd.nodes[0].path, crowd.agents
    came = [seen[name] for name in agents if name in seen]
    carried = Counter(each.relay for each in came if _is_right(topology, crowd, each))
    limit = most(len(agents), len(crowd.relays))
    if sum(count > 0 for count in carried.values()) > 1 and max(carried.values()) <= limit:
        return []
    wanted = f"{len(agents)} agents share {_names(crowd)}: two at least, none for more than {limit}"
    shares = ", ".join(f"{relay.name}: {carried[relay.name]}" for relay in crowd.relays)
    return [(f"{path}: {wanted}", f"{path}: {shares}")]


def _names(crowd: Crowd) -> str:
    return ", ".join(relay.name for relay in crowd.relays)


def _is_right(topology: Topology, crowd: Crowd, seen: Arrival) -> bool:
    """Whether an agent came through one of the relays, by what it says and by the address that the handler saw."""
    relay = next((each for each in crowd.relays if each.name == seen.relay), None)
    if relay is None:
        return False
    v4, v6 = facts.seen_cidrs(topology, relay, topology.node(seen.handler))
    return any(ip_address(seen.address) in ip_network(cidr) for cidr in (*v4, *v6))


def _text(seen: Arrival) -> str:
    return f"came to {seen.handler} through {f'relay {seen.relay}' if seen.relay else 'no relay'} from {seen.address}"


def _some(found: list[str]) -> str:
    return "; ".join(found[:3]) + (f"; and {len(found) - 3} more" if len(found) > 3 else "")
