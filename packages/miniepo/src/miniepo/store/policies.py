"""Policies, and to which group or system they are assigned (EPOPolicyObjects, EPOPolicyAssignments)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from miniepo.store.database import Database, json_value


@dataclass(frozen=True, slots=True)
class PolicyObject:
    """A policy of one category with its settings."""

    id: int
    name: str
    category: str
    notes: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PolicyAssignment:
    """A policy put on a group or on a single system (the other of the two ids is None)."""

    group_id: int | None
    system_id: int | None
    policy_id: int
    category: str
    name: str
    settings: dict[str, Any]


class Policies:
    """Finds, saves and assigns policies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, text: str) -> list[PolicyObject]:
        return await self._database.rows("policy/find", PolicyObject, text=text)

    async def by_id(self, id: int) -> PolicyObject | None:
        return await self._database.row("policy/by_id", PolicyObject, id=id)

    async def save(self, name: str, category: str, settings: dict[str, Any], notes: str = "") -> int:
        """Create the policy, or give the one of that name and category these settings; its id."""
        saved = await self._database.value(
            "policy/save", name=name, category=category, notes=notes, settings=json_value(settings)
        )
        return int(saved)

    async def delete(self, id: int) -> bool:
        """Delete a policy with its assignments; False if there is none of that number."""
        return await self._database.run("policy/delete", id=id) == 1

    async def assign_to_group(self, policy: PolicyObject, group_id: int) -> None:
        await self._database.run(
            "policy/assign_to_group", node_id=group_id, category=policy.category, policy_id=policy.id
        )

    async def assign_to_system(self, policy: PolicyObject, system_id: int) -> None:
        await self._database.run(
            "policy/assign_to_system", node_id=system_id, category=policy.category, policy_id=policy.id
        )

    async def inherit_on_group(self, category: str, group_id: int) -> None:
        await self._database.run("policy/reset_group", node_id=group_id, category=category)

    async def inherit_on_system(self, category: str, system_id: int) -> None:
        await self._database.run("policy/reset_system", node_id=system_id, category=category)

    async def assignments(self) -> list[PolicyAssignment]:
        return await self._database.rows("policy/assignments", PolicyAssignment)
