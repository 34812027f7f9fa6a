"""What a swarm promises: each of its agents is a system of its own, in the swarm's group, that calls in at its time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.ways import ways
from epolab.verify.witness import Witness

TOLD_AT_MOST = 500
"""A swarm of up to so many agents is told to call in, all at once; a larger one is left to its interval."""
INTERVALS, LATE_SECONDS = 1.5, 60.0
"""A crowd comes one after the other: so much later than its interval an agent may be."""
ORDER = "runuser -u mfeagent -- miniepo ctl callin"

Troubles = list[tuple[str, str]]


def swarm_troubles(witness: Witness, topology: Topology, path: str) -> Troubles:
    """What is wrong with a swarm, as (expected, observed)."""
    node = topology.node(path)
    told: Troubles = []
    if node.swarm <= TOLD_AT_MOST:
        answer = json.loads(witness.must(path, ORDER))
        told = [] if answer["called_in"] == node.swarm else [(f"{path}: all {node.swarm} agents call in", str(answer))]
    direct = frozenset(handler.path for handler in facts.direct_handlers(topology, node))
    reached = direct or frozenset(way.handler for way in ways(topology, node))
    systems = witness.api("miniepo.readiness")["systems"]
    return told + judge(node, reached, systems, float(witness.must(witness.server.path, "date +%s")))


def judge(node: Node, handlers: Collection[str], systems: Sequence[Mapping[str, Any]], now: float) -> Troubles:
    """What the server's list of systems says of a swarm whose agents may use these handlers, by its clock (pure)."""
    known = {str(system["fqdn"]): system for system in systems}
    names = facts.swarm_members(node)
    members = [known[name] for name in names if name in known and known[name]["enrolled"]]
    group = f"My Organization\\{node.site}\\{node.name}"
    allowed = now - INTERVALS * node.asci_seconds - LATE_SECONDS
    wrong = {
        "each agent has enrolled": [name for name in names if not known.get(name, {}).get("enrolled")],
        "each has a GUID of its own": _shared([str(each["guid"]) for each in members]),
        f"each is in the group {group}": [e["fqdn"] for e in members if e["group"] != group],
        f"each calls in to {' or '.join(sorted(handlers))}": [
            e["fqdn"] for e in members if e["last_handler"] not in handlers
        ],
        f"each called in within its interval of {node.asci_seconds:g} s": [
            e["fqdn"] for e in members if not e["last_callin"] or _at(e) < allowed
        ],
        "each enforces its policies": [e["fqdn"] for e in members if not e["policy_enforced"]],
    }
    return [(f"{node.path}: {expected}", f"not {_some(found)}") for expected, found in wrong.items() if found]


def _at(system: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(str(system["last_callin"])).timestamp()


def _shared(guids: Sequence[str]) -> list[str]:
    return sorted(guid for guid, count in Counter(guids).items() if count > 1)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
