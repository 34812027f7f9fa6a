"""The management tree of a topology as the variables of role management; systems go by their full names."""

from __future__ import annotations

from typing import Any

from epolab.deploy.secrets import ADMIN_USER
from epolab.model import Topology, facts, to_document


def management_variables(topology: Topology) -> dict[str, Any]:
    """What the role is told."""
    tree = topology.management
    return {
        "management_user": ADMIN_USER,
        "management_groups": [
            {
                "path": group.path,
                "systems": [topology.node(path).fqdn for path in group.systems] + _members(topology, group.path),
            }
            for group in tree.groups
        ],
        "management_policies": [to_document(policy) for policy in tree.policies],
        "management_assignments": [
            {
                "policy": assignment.policy,
                "group": assignment.group,
                "system": topology.node(assignment.system).fqdn if assignment.system else None,
            }
            for assignment in tree.assignments
        ],
        "management_tasks": [to_document(task) for task in tree.tasks],
        "management_handler_groups": [to_document(group) for group in tree.handler_groups],
        "management_handler_rules": [to_document(rule) for rule in tree.handlers],
    }


def _members(topology: Topology, group: str) -> list[str]:
    """The agents of the swarm whose group this is."""
    swarms = [node for node in facts.swarms(topology) if facts.swarm_group(node) == group]
    return [name for node in swarms for name in facts.swarm_members(node)]
