"""The Agent Handlers that have registered (EPOAgentHandlers) and the rules that assign agents to them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from miniepo.store.database import Database


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler; `silent_seconds` is the time since its last heartbeat."""

    id: int
    name: str
    computer_name: str
    fqdn: str
    address: str
    address_v6: str
    version: str
    http_port: int
    https_port: int
    built_in: bool
    enabled: bool
    silent_seconds: float
    last_update: datetime
    open_connections: int = 0
    refused_connections: int = 0


@dataclass(frozen=True, slots=True)
class HandlerGroup:
    """Handlers under one name, in order; with `spread` agents draw among them instead. A handler may be in several."""

    name: str
    spread: bool
    handlers: list[str]


@dataclass(frozen=True, slots=True)
class Rule:
    """An assignment rule: whom it is for (group and subnets, else everyone), and which handlers they use.

    `choices` are names of handlers and of handler groups, in order.
    """

    priority: int
    name: str
    group_id: int | None
    subnets: list[str]
    use_all: bool
    choices: list[str]


class Handlers:
    """Registers handlers, lists them and keeps the assignment rules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Handler]:
        return await self._database.rows("handler/all", Handler)

    async def register(self, **values: Any) -> int:
        """Enter or renew a handler; its id. Values: the columns of `handler/register`."""
        return int(await self._database.value("handler/register", **values))

    async def heartbeat(self, id: int, open_connections: int = 0, refused_connections: int = 0) -> bool:
        """Say that the handler lives and how full it is; False if it is no longer registered."""
        values = {"open_connections": open_connections, "refused_connections": refused_connections}
        return await self._database.run("handler/heartbeat", id=id, **values) == 1

    async def groups(self) -> list[HandlerGroup]:
        return await self._database.rows("handler/groups", HandlerGroup)

    async def replace_groups(self, groups: list[HandlerGroup]) -> None:
        """Put these groups in place of all others; call it inside a transaction."""
        await self._database.run("handler/clear_groups")
        for group in groups:
            await self._database.run("handler/add_group", **asdict(group))

    async def rules(self) -> list[Rule]:
        return await self._database.rows("handler/rules", Rule)

    async def replace_rules(self, rules: list[Rule]) -> None:
        """Put these rules in place of all others; call it inside a transaction."""
        await self._database.run("handler/clear_rules")
        for rule in rules:
            await self._database.run("handler/add_rule", **asdict(rule))
