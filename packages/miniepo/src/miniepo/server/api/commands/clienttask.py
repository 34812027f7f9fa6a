"""`clienttask.*`: finding and importing client tasks."""

from __future__ import annotations

from typing import Any

import msgspec

from miniepo.errors import CommandError
from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.policy import PRODUCT
from miniepo.server.api.registry import Command
from miniepo.server.services import Services
from miniepo.store.tasks import Task

TYPES = {"update": (1, "Product Update")}


class ImportedTask(msgspec.Struct, forbid_unknown_fields=True):
    """One task of the file that clienttask.importClientTask takes: a JSON list of these."""

    name: str
    type: str
    schedule: dict[str, Any] = {}
    settings: dict[str, Any] = {}


def row_of(task: Task) -> dict[str, Any]:
    """A task as clienttask.find shows it (domain §7.4)."""
    number, name = TYPES.get(task.type, (0, task.type))
    return {
        "objectId": task.id,
        "objectName": task.name,
        "productId": PRODUCT,
        "productName": "McAfee Agent",
        "typeId": number,
        "typeName": name,
    }


class ClientTaskCommands:
    """The commands, over one server."""

    def __init__(self, services: Services) -> None:
        self._store = services.store

    async def find(self, call: Call) -> list[dict[str, Any]]:
        return [row_of(task) for task in await self._store.tasks.find(call.text("searchText", ""))]

    async def import_tasks(self, call: Call) -> list[dict[str, Any]]:
        """Tasks of a file, new or changed; each row says by `changed` whether it was."""
        try:
            imported = msgspec.json.decode(call.file("importFileName"), type=list[ImportedTask])
        except msgspec.DecodeError as error:
            raise CommandError(f"the file holds no list of client tasks: {error}") from error
        unknown = sorted({task.type for task in imported} - set(TYPES))
        if unknown:
            raise CommandError(f"unknown task types {', '.join(unknown)}; there are {', '.join(TYPES)}")
        return [await self._import(task) for task in imported]

    async def _import(self, task: ImportedTask) -> dict[str, Any]:
        before = await self._store.tasks.by_name(task.name)
        wanted = (task.type, task.schedule, task.settings)
        changed = before is None or (before.type, before.schedule, before.settings) != wanted
        if changed:
            await self._store.tasks.save(task.name, *wanted)
        after = await self._store.tasks.by_name(task.name)
        assert after is not None, "it was just saved"
        return {**row_of(after), "changed": changed}


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    own = ClientTaskCommands(services)
    return [
        Command("clienttask.find", ("[searchText]",), "Finds client tasks", own.find, "objectTask"),
        Command("clienttask.importClientTask", ("importFileName",), "Imports client tasks", own.import_tasks),
    ]
