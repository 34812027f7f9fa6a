"""`scheduler.*`: the server tasks."""

from __future__ import annotations

from typing import Any

from miniepo.errors import CommandError
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

    async def update(call: Call) -> bool:
        name, status = call.text("taskName"), call.text("status").lower()
        if status not in ("enabled", "disabled"):
            raise CommandError(f"status must be enabled or disabled, not {status!r}")
        task = next((each for each in await tasks.all() if name.lower() in (each.name.lower(), str(each.id))), None)
        if task is None:
            raise CommandError(f"there is no server task {name!r}")
        await tasks.enable(task.id, status == "enabled")
        return True

    async def cancel(call: Call) -> bool:
        """A Run Client Task Now is no server task; it has an entry of the same log, and ends by it too [uncertain]."""
        number = call.number("taskLogId")
        return await services.jobs.cancel(number) or await services.run_now.cancel(number, call.user)

    return [
        Command("scheduler.updateServerTask", ("taskName", "[status]"), "Enables or disables a server task", update),
        Command("scheduler.cancelServerTask", ("taskLogId",), "Cancels a running server task", cancel),
        Command("scheduler.listAllServerTasks", (), "Lists all server tasks", list_all, "serverTask"),
        Command("scheduler.listRunningServerTasks", (), "Lists the running server tasks", list_running, "serverTask"),
        Command("scheduler.runServerTask", ("taskName",), "Runs a server task now", run),
    ]
