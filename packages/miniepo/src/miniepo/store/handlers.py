"""The Agent Handlers that have registered (EPOAgentHandlers) and the rules that assign agents to them."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Rule:
    """An assignment rule: whom it is for (group or subnet or everyone) and which handlers they use, in order."""

    priority: int
    group_id: int | None
    subnet: str | None
    use_all: bool
    handlers: list[str]


class Handlers:
    """Registers handlers, lists them and keeps the assignment rules."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[Handler]:
        return await self._database.rows("handler/all", Handler)

    async def register(self, **values: Any) -> int:
        """Enter or renew a handler; its id. Values: the columns of `handler/register`."""
        return int(await self._database.value("handler/register", **values))

    async def heartbeat(self, id: int) -> bool:
        """Say that the handler lives; False if it is no longer registered."""
        return await self._database.run("handler/heartbeat", id=id) == 1

    async def rules(self) -> list[Rule]:
        return await self._database.rows("handler/rules", Rule)

    async def replace_rules(self, rules: list[Rule]) -> None:
        """Put these rules in place of all others; call it inside a transaction."""
        await self._database.run("handler/clear_rules")
        for rule in rules:
            await self._database.run(
                "handler/add_rule",
                priority=rule.priority,
                group_id=rule.group_id,
                subnet=rule.subnet,
                use_all=rule.use_all,
                handlers=rule.handlers,
            )
