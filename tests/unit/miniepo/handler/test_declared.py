"""What a handler remembers of what is declared is never older than its number says."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from miniepo.errors import StoreError
from miniepo.handler.declared import DeclaredMemory
from miniepo.store.store import Store


class Database:
    """Answers every question about what is declared with nothing, but for the server's name and the number."""

    def __init__(self) -> None:
        self.number = 1
        self.name = "first"
        self.breaks: BaseException | None = None
        self.readings = 0

    async def declared(self) -> int:
        self.readings += 1
        return self.number

    async def get(self, key: str, default: str = "") -> str:
        if self.breaks is not None:
            raise self.breaks
        return self.name if default else default

    async def none(self) -> list[object]:
        return []

    def store(self) -> Store:
        noun = SimpleNamespace(all=self.none, assignments=self.none, rules=self.none, groups=self.none)
        names = ("groups", "policies", "tasks", "handlers", "repositories")
        return cast(Any, SimpleNamespace(reports=self, info=self, **dict.fromkeys(names, noun)))


def test_it_is_read_again_only_when_its_number_has_grown() -> None:
    async def script() -> None:
        database = Database()
        memory = DeclaredMemory(database.store())
        assert (await memory.at(1)).server_name == "first"
        database.name = "second"
        assert (await memory.at(1)).server_name == "first"
        database.number = 2
        assert (await memory.at(2)).server_name == "second"
        assert database.readings == 2

    asyncio.run(script())


@pytest.mark.parametrize("broken", [StoreError("gone"), asyncio.CancelledError()])
def test_a_reading_that_breaks_is_done_again(broken: BaseException) -> None:
    async def script() -> None:
        database = Database()
        memory = DeclaredMemory(database.store())
        await memory.at(1)
        database.number, database.name, database.breaks = 2, "second", broken
        with pytest.raises(type(broken)):
            await memory.at(2)
        database.breaks = None
        assert (await memory.at(2)).server_name == "second"

    asyncio.run(script())
