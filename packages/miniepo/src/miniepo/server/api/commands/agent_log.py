"""`miniepo.showAgentLog`: what the console's *Show Agent Log* shows; the published list has no command for it."""

from __future__ import annotations

from miniepo.errors import CommandError, UnreachableError
from miniepo.server.agent_log import show_log
from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.found import all_systems_of
from miniepo.server.api.registry import Command
from miniepo.server.services import Services


def commands(services: Services) -> list[Command]:
    """The commands of this module."""

    async def show(call: Call) -> str:
        (system, *others) = await all_systems_of(services.store, call)
        if others:
            raise CommandError("names must name one system: one log is shown at a time")
        try:
            return await show_log(system)
        except UnreachableError as error:
            raise CommandError(str(error), code=1) from error

    return [Command("miniepo.showAgentLog", ("names",), "Shows the log page of an agent", show)]
