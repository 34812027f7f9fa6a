"""`policy.*`: finding, importing and assigning policies."""

from __future__ import annotations

from typing import Any

import msgspec

from miniepo.errors import CommandError, MessageError
from miniepo.protocol.policy_settings import CATEGORIES, read
from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.found import group_of, missing_row, policy_of, systems_of
from miniepo.server.api.registry import Command
from miniepo.server.services import Services
from miniepo.store.policies import PolicyObject

PRODUCT = "EPOAGENTMETA"
TYPES = {"agent": (1, "General"), "superagent": (2, "SuperAgent"), "relay": (3, "Relay"), "update": (4, "Update")}


class ImportedPolicy(msgspec.Struct, forbid_unknown_fields=True):
    """One policy of the file that policy.importPolicy takes: a JSON list of these."""

    name: str
    category: str
    settings: dict[str, Any]
    notes: str = ""


def row_of(policy: PolicyObject) -> dict[str, Any]:
    """A policy as policy.find shows it (domain §7.4)."""
    number, name = TYPES.get(policy.category, (0, policy.category))
    return {
        "featureId": PRODUCT,
        "featureName": "McAfee Agent",
        "objectId": policy.id,
        "objectName": policy.name,
        "objectNotes": policy.notes,
        "productId": PRODUCT,
        "productName": "McAfee Agent",
        "typeId": number,
        "typeName": name,
    }


def _check_settings(policy: ImportedPolicy) -> None:
    """CommandError for settings that no agent can follow."""
    try:
        read(CATEGORIES[policy.category], policy.settings)
    except MessageError as error:
        raise CommandError(f"the settings of policy {policy.name!r}, category {policy.category}: {error}") from error


class PolicyCommands:
    """The commands, over one server."""

    def __init__(self, services: Services) -> None:
        self._store = services.store

    async def find(self, call: Call) -> list[dict[str, Any]]:
        return [row_of(policy) for policy in await self._store.policies.find(call.text("searchText", ""))]

    async def import_policy(self, call: Call) -> list[dict[str, Any]]:
        """Policies of a file, new or changed; each row says by `changed` whether it was."""
        try:
            imported = msgspec.json.decode(call.file("file"), type=list[ImportedPolicy])
        except msgspec.DecodeError as error:
            raise CommandError(f"the file holds no list of policies: {error}") from error
        unknown = sorted({policy.category for policy in imported} - set(TYPES))
        if unknown:
            raise CommandError(f"unknown policy categories {', '.join(unknown)}; there are {', '.join(TYPES)}")
        for policy in imported:
            _check_settings(policy)
        async with self._store.transaction():
            return [await self._import(policy) for policy in imported]

    async def _import(self, policy: ImportedPolicy) -> dict[str, Any]:
        there = {(each.category, each.name): each for each in await self._store.policies.find(policy.name)}
        before = there.get((policy.category, policy.name))
        changed = before is None or (before.settings, before.notes) != (policy.settings, policy.notes)
        if changed:
            await self._store.policies.save(policy.name, policy.category, policy.settings, policy.notes)
        after = {(each.category, each.name): each for each in await self._store.policies.find(policy.name)}
        return {**row_of(after[policy.category, policy.name]), "changed": changed}

    async def assign_to_group(self, call: Call) -> bool:
        group = await group_of(self._store, call, "groupId")
        policy = await policy_of(self._store, call)
        if call.flag("resetInheritance"):
            await self._store.policies.inherit_on_group(policy.category, group.id)
        else:
            await self._store.policies.assign_to_group(policy, group.id)
        return True

    async def assign_to_system(self, call: Call) -> list[dict[str, Any]]:
        policy = await policy_of(self._store, call)
        rows = []
        for system in await systems_of(self._store, call):
            if call.flag("resetInheritance"):
                await self._store.policies.inherit_on_system(policy.category, system.id)
            else:
                await self._store.policies.assign_to_system(policy, system.id)
            row = {"id": str(system.id), "name": system.name, "message": "Assign policy succeeded", "status": 0}
            rows.append(row)
        return rows or [missing_row()]


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    own = PolicyCommands(services)
    group = ("groupId", "productId", "objectId", "[resetInheritance]")
    system = ("names", "productId", "typeId", "objectId", "[resetInheritance]")
    return [
        Command("policy.find", ("[searchText]",), "Finds policies", own.find),
        Command("policy.importPolicy", ("file", "[force]"), "Imports policies from a file", own.import_policy),
        Command("policy.assignToGroup", group, "Assigns a policy to a group", own.assign_to_group),
        Command("policy.assignToSystem", system, "Assigns a policy to systems", own.assign_to_system),
    ]
