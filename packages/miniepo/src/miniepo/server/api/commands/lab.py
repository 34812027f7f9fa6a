"""`miniepo.*`: this project's own commands, for what the published list has no command for.

Creating groups, assigning tasks, handler rules; and what the lab looks at: call-ins, events, readiness.
"""

from __future__ import annotations

from typing import Any

import msgspec

from miniepo.errors import CommandError
from miniepo.server.api.arguments import Call
from miniepo.server.api.registry import Command
from miniepo.server.readiness import readiness
from miniepo.server.services import Services
from miniepo.store.groups import ROOT_NAME
from miniepo.store.handlers import Rule
from miniepo.store.store import Store


class GivenRule(msgspec.Struct, forbid_unknown_fields=True):
    """A handler assignment rule: for a group's path or for subnets, else for everybody; handlers in order, by name."""

    use: list[str]
    name: str = ""
    group: str | None = None
    subnets: list[str] = []


async def rules_of(store: Store, given: list[GivenRule]) -> list[Rule]:
    """The rules in priority order; one with several subnets becomes one rule for each."""
    rules: list[Rule] = []
    for rule in given:
        group = await store.groups.by_path(rule.group) if rule.group else None
        if rule.group and group is None:
            raise CommandError(f"there is no group {rule.group!r}")
        subnets: list[str | None] = [*rule.subnets] or [None]
        for subnet in subnets:
            rules.append(Rule(len(rules) + 1, group.id if group else None, subnet, not rule.use, rule.use))
    return rules


class LabCommands:
    """The commands, over one server."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._services = services

    async def create_group(self, call: Call) -> dict[str, Any]:
        path = call.text("path")
        before = await self._store.groups.by_path(path)
        async with self._store.transaction() as store:
            group = await store.groups.ensure(path)
        return {"groupId": group.id, "groupPath": group.path, "changed": before is None}

    async def assign_task(self, call: Call) -> dict[str, Any]:
        task = await self._store.tasks.by_name(call.text("task"))
        group = await self._store.groups.by_path(call.text("group", ROOT_NAME) or ROOT_NAME)
        if task is None or group is None:
            missing = "task" if task is None else "group"
            raise CommandError(f"there is no {missing} {call.text(missing)!r}")
        assigned = {(each.id, each.group_id) for each in await self._store.tasks.assignments()}
        await self._store.tasks.assign_to_group(task.id, group.id)
        return {"taskId": task.id, "groupId": group.id, "changed": (task.id, group.id) not in assigned}

    async def set_handler_rules(self, call: Call) -> dict[str, Any]:
        try:
            given = msgspec.json.decode(call.text("rules"), type=list[GivenRule])
        except msgspec.DecodeError as error:
            raise CommandError(f"rules hold no list of handler rules: {error}") from error
        wanted = await rules_of(self._store, given)
        changed = await self._store.handlers.rules() != wanted
        if changed:
            async with self._store.transaction() as store:
                await store.handlers.replace_rules(wanted)
        return {"rules": len(wanted), "changed": changed}

    async def list_assignments(self, _: Call) -> list[dict[str, Any]]:
        return [
            {
                "groupId": each.group_id,
                "systemId": each.system_id,
                "objectId": each.policy_id,
                "category": each.category,
                "objectName": each.name,
                "settings": each.settings,
            }
            for each in await self._store.policies.assignments()
        ]

    async def delete_policy(self, call: Call) -> bool:
        return await self._store.policies.delete(call.number("objectId"))

    async def list_callins(self, call: Call) -> list[dict[str, Any]]:
        try:
            since = float(call.text("since", "0"))
        except ValueError:
            raise CommandError("since must be seconds since the epoch") from None
        return await self._store.systems.callins(call.optional("name"), since)

    async def list_events(self, call: Call) -> list[dict[str, Any]]:
        return await self._store.events.list(call.optional("name"))

    async def list_task_statuses(self, call: Call) -> list[dict[str, Any]]:
        return await self._store.tasks.statuses(call.optional("name"))

    async def now(self, _: Call) -> float:
        return self._services.clock.now()

    async def readiness(self, _: Call) -> dict[str, Any]:
        return await readiness(self._services)


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    own = LabCommands(services)
    return [
        Command("miniepo.createGroup", ("path",), "Creates a group and those above it", own.create_group),
        Command("miniepo.assignTask", ("task", "[group]"), "Assigns a client task to a group", own.assign_task),
        Command("miniepo.setHandlerRules", ("rules",), "Sets the handler assignment rules", own.set_handler_rules),
        Command("miniepo.listAssignments", (), "Lists the policy assignments", own.list_assignments),
        Command("miniepo.deletePolicy", ("objectId",), "Deletes a policy and its assignments", own.delete_policy),
        Command("miniepo.listCallins", ("[name]", "[since]"), "Lists when agents called in", own.list_callins),
        Command("miniepo.listEvents", ("[name]",), "Lists the events that agents delivered", own.list_events),
        Command("miniepo.listTaskStatuses", ("[name]",), "Lists how client tasks went", own.list_task_statuses),
        Command("miniepo.now", (), "Gives the server's time in seconds since the epoch", own.now),
        Command("miniepo.readiness", (), "Tells whether every system enforces what it is assigned", own.readiness),
    ]
