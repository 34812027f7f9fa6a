"""`tasklog.*`: the Server Task Log."""

from __future__ import annotations

from typing import Any

from miniepo.server.api.arguments import Call
from miniepo.server.api.registry import Command
from miniepo.server.services import Services


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    log = services.store.task_log

    async def history(call: Call) -> list[dict[str, Any]]:
        name, source = call.optional("taskName"), call.optional("taskSource")
        return [
            {
                "id": entry.id,
                "name": entry.name,
                "startDate": entry.start_date,
                "endDate": entry.end_date,
                "userName": entry.user_name,
                "taskSource": entry.task_source,
                "state": entry.state,
                "duration": (entry.end_date - entry.start_date).total_seconds() if entry.end_date else None,
            }
            for entry in await log.history(name, source, call.number("maxRows", 100))
        ]

    async def messages(call: Call) -> list[dict[str, Any]]:
        listed = await log.messages(call.number("taskLogId"))
        return [{"id": each.id, "date": each.date, "message": each.message} for each in listed]

    parameters = ("[taskName]", "[taskSource]", "[maxRows]")
    return [
        Command("tasklog.listTaskHistory", parameters, "Lists what server tasks did", history, "taskLogEntry"),
        Command("tasklog.listMessages", ("taskLogId",), "Lists the messages of a server task's run", messages),
    ]
