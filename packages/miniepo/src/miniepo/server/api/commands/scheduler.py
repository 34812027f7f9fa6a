"""`scheduler.*`: the server tasks."""

from __future__ import annotations

from typing import Any

from miniepo.server.api.arguments import Call
from miniepo.server.api.registry import Command
from miniepo.server.services import Services
from miniepo.store.orion import SchedulerTask


def row_of(task: SchedulerTask) -> dict[str, Any]:
    """A server task as the lists show it (domain §7.4)."""
    return {
        "id": task.id,
        "name": task.name,
        "description": task.description,
        "startDate": task.start_date,
        "endDate": task.end_date,
        "nextRunTime": task.next_run_time,
        "enabled": task.enabled,
        "valid": True,
    }


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    tasks = services.store.scheduler_tasks

    async def list_all(_: Call) -> list[dict[str, Any]]:
        return [row_of(task) for task in await tasks.all()]

    async def list_running(_: Call) -> list[dict[str, Any]]:
        return [row_of(task) for task in await tasks.all() if task.start_date and task.end_date is None]

    async def run(call: Call) -> int:
        """Older clients say `taskId` (domain §7.3)."""
        return await services.scheduler.run_now(call.optional("taskId") or call.text("taskName"), call.user)

    return [
        Command("scheduler.listAllServerTasks", (), "Lists all server tasks", list_all, "serverTask"),
        Command("scheduler.listRunningServerTasks", (), "Lists the running server tasks", list_running, "serverTask"),
        Command("scheduler.runServerTask", ("taskName",), "Runs a server task now", run),
    ]
