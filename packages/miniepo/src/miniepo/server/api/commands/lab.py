"""`miniepo.*`: this project's own commands, for what the published list has no command for.

Creating groups, assigning tasks; and what the lab looks at: call-ins, events, readiness.
"""

from __future__ import annotations

from typing import Any

from miniepo.errors import CommandError
from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.found import all_systems_of, systems_of
from miniepo.server.api.registry import Command
from miniepo.server.readiness import readiness
from miniepo.server.relay_watch import read_warnings
from miniepo.server.services import Services
from miniepo.store.groups import ROOT_NAME


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
        """A group has the task from now on, or the systems that are named."""
        task = await self._store.tasks.by_name(call.text("task"))
        if task is not None and call.optional("names") is not None:
            return await self._assign_to_systems(task.id, call)
        group = await self._store.groups.by_path(call.text("group", ROOT_NAME) or ROOT_NAME)
        if task is None or group is None:
            missing = "task" if task is None else "group"
            raise CommandError(f"there is no {missing} {call.text(missing)!r}")
        assigned = {(each.id, each.group_id) for each in await self._store.tasks.assignments()}
        await self._store.tasks.assign_to_group(task.id, group.id)
        return {"taskId": task.id, "groupId": group.id, "changed": (task.id, group.id) not in assigned}

    async def _assign_to_systems(self, task_id: int, call: Call) -> dict[str, Any]:
        systems = {system.id for system in await all_systems_of(self._store, call)}
        assigned = {each.system_id for each in await self._store.tasks.assignments() if each.id == task_id}
        for system_id in systems:
            await self._store.tasks.assign_to_system(task_id, system_id)
        return {"taskId": task_id, "systems": len(systems), "changed": not systems <= assigned}

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
        return await self._store.systems.callins(call.optional("name"), _since(call))

    async def list_events(self, call: Call) -> list[dict[str, Any]]:
        return await self._store.events.list(call.optional("name"), _since(call))

    async def list_task_statuses(self, call: Call) -> list[dict[str, Any]]:
        return await self._store.tasks.statuses(call.optional("name"))

    async def regenerate_guid(self, call: Call) -> dict[str, Any]:
        """The agents of these systems take a new GUID at their next communication; their systems stay (domain §4.1)."""
        systems = await systems_of(self._store, call)
        return {"systems": await self._store.systems.regenerate_guids([system.id for system in systems])}

    async def list_relay_warnings(self, _: Call) -> list[dict[str, Any]]:
        found = await read_warnings(self._store)
        return [{"relay": each.relay, "client": each.client, "missing": list(each.missing)} for each in found]

    async def now(self, _: Call) -> float:
        return self._services.clock.now()

    async def readiness(self, _: Call) -> dict[str, Any]:
        return await readiness(self._services)


def _since(call: Call) -> float:
    try:
        return float(call.text("since", "0"))
    except ValueError:
        raise CommandError("since must be seconds since the epoch") from None


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    own = LabCommands(services)
    return [
        Command("miniepo.createGroup", ("path",), "Creates a group and those above it", own.create_group),
        Command(
            "miniepo.assignTask",
            ("task", "[group]", "[names]"),
            "Assigns a client task to a group or to systems",
            own.assign_task,
        ),
        Command("miniepo.listAssignments", (), "Lists the policy assignments", own.list_assignments),
        Command("miniepo.deletePolicy", ("objectId",), "Deletes a policy and its assignments", own.delete_policy),
        Command("miniepo.listCallins", ("[name]", "[since]"), "Lists when agents called in", own.list_callins),
        Command("miniepo.listEvents", ("[name]", "[since]"), "Lists the events that agents delivered", own.list_events),
        Command("miniepo.listTaskStatuses", ("[name]",), "Lists how client tasks went", own.list_task_statuses),
        Command("miniepo.regenerateGuid", ("names",), "Has agents take a new GUID", own.regenerate_guid),
        Command(
            "miniepo.listRelayWarnings", (), "Lists relays whose list lacks clients' sites", own.list_relay_warnings
        ),
        Command("miniepo.now", (), "Gives the server's time in seconds since the epoch", own.now),
        Command("miniepo.readiness", (), "Tells whether every system enforces what it is assigned", own.readiness),
    ]
