"""`agentmgmt.*`: the Agent Handlers; and, as this project's own commands, their groups and assignment rules."""

from __future__ import annotations

import ipaddress
from typing import Any, TypeVar

import msgspec

from miniepo.errors import CommandError
from miniepo.server.api.arguments import Call
from miniepo.server.api.registry import Command
from miniepo.server.services import Services
from miniepo.store.handlers import HandlerGroup, Rule
from miniepo.store.store import Store

Given = TypeVar("Given")


class GivenGroup(msgspec.Struct, forbid_unknown_fields=True):
    """A handler group: its handlers in order, by name; with `spread` agents draw among them."""

    name: str
    handlers: list[str]
    spread: bool = False


class GivenRule(msgspec.Struct, forbid_unknown_fields=True):
    """A handler assignment rule: for a group's path and for subnets, else for everybody.

    `use` names handlers and handler groups in order; without any name all handlers are used.
    """

    use: list[str] = []
    name: str = ""
    group: str | None = None
    subnets: list[str] = []


async def rules_of(store: Store, given: list[GivenRule]) -> list[Rule]:
    """The rules in priority order; raises CommandError."""
    rules: list[Rule] = []
    for rule in given:
        group = await store.groups.by_path(rule.group) if rule.group else None
        if rule.group and group is None:
            raise CommandError(f"there is no group {rule.group!r}")
        for subnet in rule.subnets:
            _check_subnet(subnet)
        group_id = group.id if group else None
        rules.append(Rule(len(rules) + 1, rule.name, group_id, rule.subnets, not rule.use, rule.use))
    return rules


def _check_subnet(text: str) -> None:
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is no subnet: {error}") from error


def _decoded(call: Call, argument: str, kind: type[Given]) -> list[Given]:
    try:
        return msgspec.json.decode(call.text(argument), type=list[kind])  # type: ignore[valid-type]
    except msgspec.DecodeError as error:
        raise CommandError(f"{argument} hold no list of them: {error}") from error


class HandlerCommands:
    """The commands, over one server."""

    def __init__(self, services: Services) -> None:
        self._store = services.store

    async def list_handlers(self, _: Call) -> list[dict[str, Any]]:
        """Columns of EPOAgentHandlers that have a source (domain §7.7), and what the lab knows of a handler."""
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
                "openConnections": handler.open_connections,
                "refusedConnections": handler.refused_connections,
            }
            for handler in await self._store.handlers.all()
        ]

    async def list_rules(self, _: Call) -> list[dict[str, Any]]:
        paths = {group.id: group.path for group in await self._store.groups.all()}
        return [
            {
                "priority": rule.priority,
                "name": rule.name,
                "group": paths.get(rule.group_id) if rule.group_id is not None else None,
                "subnets": rule.subnets,
                "use": rule.choices,
            }
            for rule in await self._store.handlers.rules()
        ]

    async def list_groups(self, _: Call) -> list[dict[str, Any]]:
        return [msgspec.to_builtins(group) for group in await self._store.handlers.groups()]

    async def set_rules(self, call: Call) -> dict[str, Any]:
        wanted = await rules_of(self._store, _decoded(call, "rules", GivenRule))
        changed = await self._store.handlers.rules() != wanted
        if changed:
            async with self._store.transaction() as store:
                await store.handlers.replace_rules(wanted)
        return {"rules": len(wanted), "changed": changed}

    async def set_groups(self, call: Call) -> dict[str, Any]:
        given = _decoded(call, "groups", GivenGroup)
        if len({group.name for group in given}) < len(given):
            raise CommandError("two handler groups have one name")
        wanted = sorted((HandlerGroup(g.name, g.spread, g.handlers) for g in given), key=lambda group: group.name)
        changed = sorted(await self._store.handlers.groups(), key=lambda group: group.name) != wanted
        if changed:
            async with self._store.transaction() as store:
                await store.handlers.replace_groups(wanted)
        return {"groups": len(wanted), "changed": changed}


def commands(services: Services) -> list[Command]:
    """The commands of this module."""
    own = HandlerCommands(services)
    return [
        Command("agentmgmt.listAgentHandlers", (), "Lists the Agent Handlers", own.list_handlers),
        Command("miniepo.listHandlerGroups", (), "Lists the handler groups", own.list_groups),
        Command("miniepo.listHandlerRules", (), "Lists the handler assignment rules in order", own.list_rules),
        Command("miniepo.setHandlerGroups", ("groups",), "Sets the handler groups", own.set_groups),
        Command("miniepo.setHandlerRules", ("rules",), "Sets the handler assignment rules", own.set_rules),
    ]
