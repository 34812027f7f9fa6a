"""Ports that policies give to an agent's processes, and that something else on the node listens on already."""

from __future__ import annotations

from collections.abc import Iterator

from epolab.model import facts
from epolab.model.management import Category
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.topology.checks.components import LISTENS
from epolab.topology.draft import Draft
from epolab.topology.policy_settings import PolicyFile
from epolab.topology.report import Report
from epolab.yaml_file import Place

SETTINGS: tuple[tuple[Category, str], ...] = (("relay", "port"), ("agent", "wakeupPort"))

Claim = tuple[int, str, str]
"""A port, what listens on it, and what to change."""


def check_agent_ports(draft: Draft, topology: Topology, report: Report) -> None:
    """Every agent by the policies in force on it; a setting is reported once, for the first node it does not suit."""
    told: set[Place] = set()
    for node in facts.agents(topology):
        holders = {
            port: f"the component {component}" for component in node.components for port in LISTENS.get(component, ())
        }
        for port, listener, setting in _claims(topology, node):
            other = holders.setdefault(port, listener)
            if other == listener:
                continue
            place = _place(draft, topology, node, port)
            if place not in told:
                told.add(place)
                message = f"{node.path}: {other} and {listener} both listen on port {port}"
                report.error(place, "port-conflict", message, f"change {setting} that is in force on it")


def _claims(topology: Topology, node: Node) -> Iterator[Claim]:
    yield facts.wakeup_port(topology, node), "the agent", "`wakeupPort` in the agent policy"
    if node.has("relay") and not facts.shares_port(topology, node):
        yield (
            facts.relay_port(topology, node),
            "the relay",
            "`port` in the relay policy, or `wakeupPort` in the agent policy,",
        )


def _place(draft: Draft, topology: Topology, node: Node, port: int) -> Place:
    """Where a policy that is in force on the node says this port, the relay's first; else the node itself."""
    in_force = facts.policies_of(topology, node)
    for category, setting in SETTINGS:
        policy = _declared(draft, in_force[category].name)
        if policy is not None and policy.settings.get(setting) == port:
            return policy.places[setting]
    return draft.by_path[node.path].place


def _declared(draft: Draft, name: str) -> PolicyFile | None:
    declared = [policy.value for policy in (draft.management.policies.value if draft.management.policies else ())]
    return next((policy for policy in declared if policy.name is not None and policy.name.value == name), None)
