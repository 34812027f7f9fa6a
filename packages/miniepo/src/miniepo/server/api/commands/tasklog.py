"""`tasklog.*`: the Server Task Log with its subtasks (domain §6.2, §6.4)."""

from __future__ import annotations

from typing import Any

from miniepo.errors import CommandError
from miniepo.server.api.arguments import Call
from miniepo.server.api.registry import Command
from miniepo.server.services import Services
from miniepo.store.orion import TaskLogEntry
from miniepo.store.subtasks import Subtask

UNIT_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0, "week": 604_800.0, "month": 2_592_000.0}
"""What `unit` may be, in any case and number; that it may be left out, and is `day` then, is [uncertain]."""


def age_seconds(call: Call) -> float | None:
    """The arguments `age` and `unit` as seconds, None where no age is given."""
    if call.optional("age") is None:
        return None
    unit = (call.optional("unit") or "day").lower().removesuffix("s")
    if unit not in UNIT_SECONDS or call.number("age") < 0:
        raise CommandError(f"age must be a whole number ≥ 0 and unit one of {', '.join(UNIT_SECONDS)}")
    return call.number("age") * UNIT_SECONDS[unit]


def entry_row(entry: TaskLogEntry) -> dict[str, Any]:
    """An entry as listTaskHistory shows it (domain §7.4), with its state."""
    return {
        "id": entry.id,
        "name": entry.name,
        "startDate": entry.start_date,
        "endDate": entry.end_date,
        "userName": entry.user_name,
        "taskSource": entry.task_source,
        "state": entry.state,
        "duration": (entry.end_date - entry.start_date).total_seconds() if entry.end_date else None,
    }


def subtask_row(subtask: Subtask) -> dict[str, Any]:
    """A subtask with its segments; empty ones where the action has none."""
    return {
        "id": subtask.id,
        "name": f"Computer Name: {subtask.name}",
        "computerName": subtask.name,
        "agentGuid": subtask.guid,
        "systemId": subtask.system_id,
        "state": subtask.state,
        "send": subtask.send,
        "start": subtask.start,
        "progress": subtask.progress,
        "percent": subtask.percent,
        "startDate": subtask.start_date,
        "endDate": subtask.end_date,
    }


class TaskLogCommands:
    """The commands, over one server."""

    def __init__(self, services: Services) -> None:
        self._log = services.store.task_log
        self._subtasks = services.store.subtasks

    async def history(self, call: Call) -> list[dict[str, Any]]:
        entries = await self._log.history(
            call.optional("taskName"), call.optional("taskSource"), call.number("maxRows", 100), age_seconds(call)
        )
        return [entry_row(entry) for entry in entries]

    async def messages(self, call: Call) -> list[dict[str, Any]]:
        """`subtask` is the name of the system that a message is about, null for one about the whole entry."""
        return [
            {
                "id": each.id,
                "date": each.date,
                "message": each.message,
                "subtask": each.subtask,
                "subtaskId": each.subtask_id,
            }
            for each in await self._log.messages(call.number("taskLogId"))
        ]

    async def subtasks(self, call: Call) -> list[dict[str, Any]] | list[str]:
        """XML has the text alone that an XML-only client reads (domain §7.4); the other forms have everything."""
        rows = [subtask_row(each) for each in await self._subtasks.of_task(call.number("taskLogId"))]
        return [str(row["name"]) for row in rows] if call.output == "xml" else rows

    async def sources(self, _: Call) -> list[str]:
        return await self._log.sources()

    async def purge(self, call: Call) -> int:
        """How many entries are gone; without an age all that have ended."""
        return await self._log.purge(age_seconds(call) or 0.0)


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    own = TaskLogCommands(services)
    filters = ("[taskName]", "[taskSource]", "[maxRows]", "[age]", "[unit]")
    one = ("taskLogId",)
    return [
        Command("tasklog.listTaskHistory", filters, "Lists what server tasks did", own.history, "taskLogEntry"),
        Command("tasklog.listMessages", one, "Lists the messages of a server task's run", own.messages),
        Command("tasklog.listSubtasks", one, "Lists the subtasks of a server task's run", own.subtasks, "subtask"),
        Command("tasklog.listTaskSources", (), "Lists where server tasks were started from", own.sources),
        Command("tasklog.purge", ("[age]", "[unit]"), "Deletes entries that ended longer ago", own.purge),
    ]
