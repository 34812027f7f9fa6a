"""Which policies and tasks are in effect for a system: nearest assignment wins, tasks add up (domain §3.6, §4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from miniepo.protocol.codec import version_of
from miniepo.protocol.messages import ClientTask, Policy, PolicySet, TaskSet
from miniepo.store.policies import PolicyAssignment
from miniepo.store.tasks import TaskAssignment


def effective_policies(
    assignments: Iterable[PolicyAssignment], lineage: Sequence[int], system_id: int
) -> tuple[PolicyAssignment, ...]:
    """One assignment per category: the system's own, else that of the nearest group.

    `lineage` holds group ids from the system's own group up to the root. An assignment on a lower group is what breaks
    inheritance there.
    """
    nearest: dict[str, tuple[int, PolicyAssignment]] = {}
    for assignment in assignments:
        distance = _distance(assignment.group_id, assignment.system_id, lineage, system_id)
        if distance is not None and distance < nearest.get(assignment.category, (len(lineage), assignment))[0]:
            nearest[assignment.category] = (distance, assignment)
    return tuple(nearest[category][1] for category in sorted(nearest))


def effective_tasks(
    assignments: Iterable[TaskAssignment], lineage: Sequence[int], system_id: int
) -> tuple[TaskAssignment, ...]:
    """Every task assigned to the system or to a group above it, each once."""
    found = {
        assignment.id: assignment
        for assignment in assignments
        if _distance(assignment.group_id, assignment.system_id, lineage, system_id) is not None
    }
    return tuple(found[id] for id in sorted(found))


def _distance(group_id: int | None, node_id: int | None, lineage: Sequence[int], system_id: int) -> int | None:
    """-1 for the system itself, 0 for its own group, 1 for the one above; None if the assignment is for others."""
    if node_id is not None:
        return -1 if node_id == system_id else None
    return lineage.index(group_id) if group_id in lineage else None


def policy_set(assignments: Iterable[PolicyAssignment]) -> PolicySet:
    """The message part for an agent; its version depends on nothing but the settings in effect."""
    policies = tuple(Policy(category=each.category, name=each.name, settings=each.settings) for each in assignments)
    return PolicySet(version=version_of(msgspec.to_builtins(policies)), policies=policies)


def task_set(assignments: Iterable[TaskAssignment]) -> TaskSet:
    """The message part for an agent."""
    tasks = tuple(
        ClientTask(id=str(each.id), name=each.name, type=each.type, schedule=each.schedule, settings=each.settings)
        for each in assignments
    )
    return TaskSet(version=version_of(msgspec.to_builtins(tasks)), tasks=tasks)
