"""A store with two handlers and two systems, for tests of the DataChannel's queue and of the server's end of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg

from miniepo import config
from miniepo.store.database import open_database
from miniepo.store.migrate import migrate
from miniepo.store.store import Store


class Place:
    """A store with two handlers and two systems; pc-1 last talked to the first handler."""

    def __init__(self, database: config.Database, store: Store) -> None:
        self.database = database
        self.store = store
        self.queue = store.datachannel

    async def fill(self) -> None:
        for name in ("hq/epo", "dmz/ah"):
            await self.store.handlers.register(
                name=name,
                computer_name=name,
                fqdn=f"{name}.test",
                address="",
                address_v6="",
                version="5.9.1",
                http_port=80,
                https_port=443,
                built_in=name == "hq/epo",
            )
        for number in (1, 2):
            system = await self.store.systems.ensure(f"pc-{number}", f"pc-{number}.test", 3)
            await self.store.systems.enrol(system.id, f"G-{number}", f"key-{number}", "4.8.0")
        self.sql("UPDATE EPOComputerProperties SET LastAgentHandler = 1 WHERE ComputerName = 'pc-1'")

    def sql(self, statement: str) -> list[Any]:
        where = {"host": self.database.host, "user": "epo", "dbname": self.database.name}
        with psycopg.connect(**where, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def later(self, seconds: float) -> None:
        """Let time pass for the queue."""
        self.sql(
            f"UPDATE EPOAgentHandlerDatachannelWQ SET NotBefore = NotBefore - interval '{seconds} s',"
            f" CreatedOn = CreatedOn - interval '{seconds} s', ExpiresOn = ExpiresOn - interval '{seconds} s',"
            f" Finished = Finished - interval '{seconds} s'"
        )

    async def add(self, *targets: int, expires: float = 600) -> None:
        await self.queue.add(targets, "B", "EPOAGENT3000", "echo", "c", {"text": "x"}, expires)


def played(database: config.Database, work: Callable[[Place], Awaitable[None]]) -> None:
    async def run() -> None:
        await migrate(database)
        async with open_database(database, connections=3) as opened:
            place = Place(database, Store(opened))
            await place.fill()
            await work(place)

    asyncio.run(run())
