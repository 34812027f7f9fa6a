"""Roles of agents that the policies in force give, take away, or give to a node that cannot have them."""

from __future__ import annotations

from epolab.model import facts
from epolab.model.management import Category
from epolab.model.node import Node, can_relay
from epolab.model.topology import Topology
from epolab.topology.checks.components import check_can_relay
from epolab.topology.checks.names import check_superagent_names
from epolab.topology.draft import Draft, DraftNode
from epolab.topology.in_force import roles_in_force
from epolab.topology.report import Located, Report
from epolab.topology.v1 import RepositoryFile
from epolab.yaml_file import Place

MEANING = ("meaning", "roles")
CONTENT_HOLDERS = ("server", "handler")
TURNED_ON: dict[str, tuple[Category, str]] = {
    "relay": ("relay", "enabled: true"),
    "superagent": ("superagent", "enabled: true"),
    "repository": ("superagent", "enabled: true, repository: true"),
}


def check_roles(draft: Draft, topology: Topology, report: Report) -> None:
    """What components and declared repositories say against what the policies in force say."""
    told: set[Place] = set()
    for sketch in draft.nodes:
        _check_components(sketch, topology, report, told)
    for node in facts.agents(topology):
        _check_refusal(draft.by_path[node.path], topology, report)
    check_superagent_names([draft.by_path[node.path] for node in facts.repositories(topology)], report)
    for node in facts.repositories(topology):
        _check_directory(draft, node, report)
    for repository in draft.management.repositories.value if draft.management.repositories else ():
        _check_declared(draft, topology, repository, report)


def _check_components(sketch: DraftNode, topology: Topology, report: Report, told: set[Place]) -> None:
    """A component that is shorthand for a role, where the policy that counts says something else.

    It is told once, for the first node of a `count` that is contradicted.
    """
    node = topology.node(sketch.path)
    in_force = roles_in_force(topology, node)
    for role, place in sketch.component_places.items():
        if role == "relay" and not node.can_relay:
            continue
        if role in TURNED_ON and role not in in_force and place not in told:
            told.add(place)
            category, settings = TURNED_ON[role]
            policy = facts.policies_of(topology, node)[category].name
            message = f'{node.path} has the component {role}, but the policy in force on it, "{policy}", makes it none'
            hint = f'write `{settings}` in the settings of "{policy}", assign it elsewhere, or remove the component'
            report.error(place, "role-contradicted", message, hint, MEANING)


def _check_refusal(sketch: DraftNode, topology: Topology, report: Report) -> None:
    """A policy that makes an agent a relay which cannot be one: an error if it is its own, else it is in the group's
    nature that not all of it can be relays; such an agent says no, and goes on as it is."""
    node = topology.node(sketch.path)
    if "relay" in sketch.components or not facts.refuses_relay(topology, node):
        return
    policy = facts.policies_of(topology, node)["relay"].name
    if any(a.system == node.path and a.policy == policy for a in topology.management.assignments):
        check_can_relay(sketch, report)
        return
    old = not can_relay(node.version, "")
    kind = f"of version {node.version}" if old else f"on {node.platform}"
    written = sketch.file.version if old else sketch.file.platform
    message = f'"{policy}" turns {node.path} into a relay; an agent {kind} refuses, and stays as it is'
    place = written.place if written is not None else sketch.place
    hint = f'a relay needs version 4.8 or later, and not AIX; assign "{policy}" to others only'
    report.warning(place, "relay-refused", message, hint)


def _check_directory(draft: Draft, node: Node, report: Report) -> None:
    """A handler, the server's own among them, keeps its content where a SuperAgent would keep its repository."""
    holder = next((component for component in CONTENT_HOLDERS if node.has(component)), None)
    if holder is not None:
        message = f"{node.path}: the repository of a SuperAgent and the {holder} would share a directory"
        hint = "put the SuperAgent on a node of its own; agents of the segment take content from the handler as it is"
        report.error(draft.by_path[node.path].place_of("superagent"), "superagent-beside-handler", message, hint)


def _check_declared(draft: Draft, topology: Topology, repository: Located[RepositoryFile], report: Report) -> None:
    reference = repository.value.node
    for sketch in draft.expand(reference.value) if reference else ():
        node = topology.node(sketch.path)
        if reference is None or not node.has("agent") or "repository" in roles_in_force(topology, node):
            continue
        policy = facts.policies_of(topology, node)["superagent"].name
        message = f'{node.path} keeps no repository: the policy in force on it, "{policy}", does not make it'
        hint = "give it the component superagent, or a superagent policy with `enabled: true, repository: true`"
        report.error(reference.place, "not-a-superagent", message, hint, MEANING)
