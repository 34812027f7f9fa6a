"""`miniepo.*` about Run Client Task Now: Update Now, Scan Now, and the live status view (domain §6.2)."""

from __future__ import annotations

from typing import Any

from miniepo.protocol.messages import ClientTask
from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.clienttask import minutes, options_of
from miniepo.server.api.commands.found import all_systems_of
from miniepo.server.api.registry import Command
from miniepo.server.services import Services

MAX_WAIT_SECONDS = 30
OPTIONS = ("[abortAfterMinutes]", "[stopAfterMinutes]", "[randomizationInterval]")


class RunNowCommands:
    """The commands, over one server."""

    def __init__(self, services: Services) -> None:
        self._store = services.store
        self._run_now = services.run_now

    async def update(self, call: Call) -> dict[str, Any]:
        """Update Now: without products all that the agent has."""
        settings = {"products": call.names("products")} if call.optional("products") else {}
        return await self._start(call, ClientTask(id="update-now", name="Update Now", type="update", settings=settings))

    async def scan(self, call: Call) -> dict[str, Any]:
        """Scan Now: a folder of the node, and over how many minutes at least."""
        settings: dict[str, Any] = {"seconds": minutes(call, "minutes", 0) * 60}
        if call.optional("folder"):
            settings["folder"] = call.text("folder")
        return await self._start(call, ClientTask(id="scan-now", name="Scan Now", type="scan", settings=settings))

    async def _start(self, call: Call, task: ClientTask) -> dict[str, Any]:
        systems = await all_systems_of(self._store, call)
        return {"taskLogId": await self._run_now.start(systems, task, options_of(call), call.user)}

    async def watch(self, call: Call) -> dict[str, Any]:
        """The segments at once, or with `revision` as soon as there is a newer one or `waitSeconds` are over."""
        seconds = min(MAX_WAIT_SECONDS, call.number("waitSeconds", 10)) if call.optional("revision") else 0
        return await self._run_now.watch(call.number("taskLogId"), call.number("revision", -1), seconds)

    async def close(self, call: Call) -> bool:
        self._run_now.close_view(call.number("taskLogId"))
        return True

    async def views(self, _: Call) -> list[dict[str, Any]]:
        return self._run_now.views()

    async def delete_task(self, call: Call) -> bool:
        return await self._store.tasks.delete(call.number("taskId"))


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    own = RunNowCommands(services)
    view = ("taskLogId", "[revision]", "[waitSeconds]")
    return [
        Command("miniepo.updateNow", ("names", "[products]", *OPTIONS), "Updates systems now", own.update),
        Command("miniepo.scanNow", ("names", "[folder]", "[minutes]", *OPTIONS), "Scans systems now", own.scan),
        Command("miniepo.watchRunNow", view, "Shows a Run Client Task Now live, once", own.watch),
        Command("miniepo.closeRunNow", ("taskLogId",), "Closes a live status view for ever", own.close),
        Command("miniepo.listRunNow", (), "Lists the open live status views", own.views),
        Command("miniepo.deleteTask", ("taskId",), "Deletes a client task and its assignments", own.delete_task),
    ]
