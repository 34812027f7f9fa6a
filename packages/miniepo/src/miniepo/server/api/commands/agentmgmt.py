"""`agentmgmt.*`: the Agent Handlers."""

from __future__ import annotations

from typing import Any

from miniepo.server.api.arguments import Call
from miniepo.server.api.registry import Command
from miniepo.server.services import Services


def commands(services: Services) -> list[Command]:
    """The commands of this module."""

    async def list_handlers(_: Call) -> list[dict[str, Any]]:
        """Columns of EPOAgentHandlers that have a source (domain §7.7), and the handler's name in the lab."""
        return [
            {
                "id": handler.id,
                "name": handler.name,
                "ComputerName": handler.computer_name,
                "DNSName": handler.fqdn,
                "LastKnownTCPIP": handler.address,
                "ePOVersion": handler.version,
                "enabled": handler.enabled,
                "builtIn": handler.built_in,
                "lastUpdate": handler.last_update,
            }
            for handler in await services.store.handlers.all()
        ]

    return [Command("agentmgmt.listAgentHandlers", (), "Lists the Agent Handlers", list_handlers)]
