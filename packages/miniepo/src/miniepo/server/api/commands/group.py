"""`epogroup.*`: the systems of a group."""

from __future__ import annotations

from typing import Any

from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.found import group_of
from miniepo.server.api.registry import Command
from miniepo.server.services import Services


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    store = services.store

    async def find_systems(call: Call) -> list[dict[str, Any]]:
        group = await group_of(store, call, "groupId")
        ids = [group.id]
        if call.flag("searchSubgroups"):
            ids += [each.id for each in await store.groups.all() if each.path.startswith(f"{group.path}\\")]
        return await store.systems.find("", False, ids)

    parameters = ("groupId", "[searchSubgroups]")
    return [Command("epogroup.findSystems", parameters, "Finds the systems of a group", find_systems, "row")]
