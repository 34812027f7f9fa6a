"""`miniepo.*` commands about the DataChannel: say something to the agents' own product, see what came of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from miniepo.errors import CommandError, MessageError
from miniepo.protocol.datachannel import AGENT_PRODUCT
from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.found import all_systems_of
from miniepo.server.api.registry import Command
from miniepo.server.services import Services

_EXPIRES_SECONDS = 3600.0


class DataChannelCommands:
    """The commands, over one server."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def send(self, call: Call) -> dict[str, Any]:
        systems = await all_systems_of(self._services.store, call)
        correlation = self._services.entropy.guid()
        try:
            batch = await self._services.channel.send(
                [system.id for system in systems],
                call.text("product", AGENT_PRODUCT) or AGENT_PRODUCT,
                call.text("kind", "echo") or "echo",
                correlation,
                {"text": call.text("text", "")},
                call.amount("expiresSeconds", _EXPIRES_SECONDS),
            )
        except MessageError as error:
            raise CommandError(str(error)) from error
        return {"batch": batch, "correlation": correlation, "systems": len(systems)}

    async def items(self, call: Call) -> list[dict[str, Any]]:
        return [asdict(each) for each in await self._services.store.datachannel.batch(call.text("batch"))]

    async def answers(self, call: Call) -> list[dict[str, Any]]:
        return [asdict(each) for each in await self._services.store.datachannel.answers(call.text("correlation"))]


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    own = DataChannelCommands(services)
    return [
        Command(
            "miniepo.sendChannelMessage",
            ("names", "[text]", "[product]", "[kind]", "[expiresSeconds]"),
            "Queues a message for a product on systems",
            own.send,
        ),
        Command("miniepo.listChannelItems", ("batch",), "Lists how far a batch of messages got", own.items),
        Command("miniepo.listChannelAnswers", ("correlation",), "Lists what agents said about it", own.answers),
    ]
