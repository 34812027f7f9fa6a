"""`clienttask.*`: finding, importing and running client tasks."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from miniepo.errors import CommandError, TaskError
from miniepo.protocol import task_settings
from miniepo.protocol.messages import ClientTask
from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.found import all_systems_of
from miniepo.server.api.commands.policy import PRODUCT
from miniepo.server.api.registry import Command
from miniepo.server.run_now import DEFAULT_ABORT_MINUTES, Options
from miniepo.server.services import Services
from miniepo.store.tasks import Task

MAX_MINUTES = 60 * 24 * 365
TYPES = {"update": (1, "Product Update"), "scan": (2, "On-Demand Scan")}
RUN_PARAMETERS = (
    "names",
    "productId",
    "taskId",
    "[retryAttempts]",
    "[retryIntervalInSeconds]",
    "[abortAfterMinutes]",
    "[useAllAgentHandlers]",
    "[stopAfterMinutes]",
    "[randomizationInterval]",
)


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
        self._run_now = services.run_now

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
        for task in imported:
            check_settings(task)
        return [await self._import(task) for task in imported]

    async def run(self, call: Call) -> str:
        """Queue a task at once; the reply is the one word of domain §7.4, the rest is in the Server Task Log."""
        if call.text("productId").upper() != PRODUCT:
            raise CommandError(f"there is no product {call.text('productId')}; clienttask.find lists them")
        number = call.number("taskId")
        task = await self._store.tasks.by_id(number)
        if task is None:
            raise CommandError(f"there is no client task {number}; clienttask.find lists them")
        wanted = ClientTask(id=str(task.id), name=task.name, type=task.type, settings=task.settings)
        await self._run_now.start(await all_systems_of(self._store, call), wanted, options_of(call), call.user)
        return "Succeeded"

    async def _import(self, task: ImportedTask) -> dict[str, Any]:
        before = await self._store.tasks.by_name(task.name)
        wanted = (task.type, task.schedule, task.settings)
        changed = before is None or (before.type, before.schedule, before.settings) != wanted
        if changed:
            await self._store.tasks.save(task.name, *wanted)
        after = await self._store.tasks.by_name(task.name)
        assert after is not None, "it was just saved"
        return {**row_of(after), "changed": changed}


def check_settings(task: ImportedTask) -> None:
    """Raise CommandError for settings with which no agent could run the task."""
    try:
        task_settings.read(task.settings, task_settings.KINDS[task.type])
    except TaskError as error:
        raise CommandError(f"{task.name}: {error}") from error


def options_of(call: Call) -> Options:
    """The options of clienttask.run; those that have no meaning here must at least be well formed."""
    for ignored in ("retryAttempts", "retryIntervalInSeconds"):
        call.number(ignored, 0)
    call.flag("useAllAgentHandlers")
    options = Options(
        abort_minutes=minutes(call, "abortAfterMinutes", DEFAULT_ABORT_MINUTES),
        stop_minutes=minutes(call, "stopAfterMinutes", 0),
        random_minutes=minutes(call, "randomizationInterval", 0),
    )
    if options.abort_minutes == 0:
        raise CommandError("abortAfterMinutes must be more than 0")
    return options


def minutes(call: Call, name: str, default: float) -> float:
    """An argument in minutes, with a decimal point if need be: a lab has less time than an enterprise."""
    text = call.optional(name)
    try:
        value = default if text is None else float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= MAX_MINUTES:
        raise CommandError(f"{name} must be a number of minutes from 0 to {MAX_MINUTES}, not {text!r}")
    return value


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    own = ClientTaskCommands(services)
    return [
        Command("clienttask.find", ("[searchText]",), "Finds client tasks", own.find, "objectTask"),
        Command("clienttask.importClientTask", ("importFileName",), "Imports client tasks", own.import_tasks),
        Command("clienttask.run", RUN_PARAMETERS, "Runs a client task on systems now", own.run),
    ]
