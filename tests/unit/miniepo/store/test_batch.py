"""Callers that come together go together, and each gets its own result."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from miniepo.errors import DatabaseUnavailableError, StoreError
from miniepo.store.batch import Batch


class Database:
    """Notes what was run together; says no to `poison`, and is not there for `gone`."""

    def __init__(self) -> None:
        self.ran: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def run(self, items: Sequence[str]) -> Sequence[str]:
        self.ran.append(list(items))
        await self.gate.wait()
        if "poison" in items:
            raise StoreError("no")
        if "gone" in items:
            raise DatabaseUnavailableError
        if "mistake" in items:
            raise ZeroDivisionError
        return [item.upper() for item in items]


def play(script: Callable[[Database], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(5):
            await script(Database())

    asyncio.run(run())


def test_the_first_does_not_wait_and_the_next_gather_behind_it() -> None:
    async def script(database: Database) -> None:
        batch = Batch(database.run, key=lambda item: item)
        database.gate.clear()
        first = asyncio.create_task(batch.submit("a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        others = [asyncio.create_task(batch.submit(item)) for item in "bcd"]
        await asyncio.sleep(0)
        assert database.ran == [["a"]]
        database.gate.set()
        assert await asyncio.gather(first, *others) == ["A", "B", "C", "D"]
        assert database.ran == [["a"], ["b", "c", "d"]]
        assert await batch.submit("e") == "E"

    play(script)


def test_equals_and_those_beyond_the_limit_go_with_the_next_in_their_order() -> None:
    async def script(database: Database) -> None:
        batch = Batch(database.run, key=lambda item: item[0], most=2)
        results = await asyncio.gather(*(batch.submit(item) for item in ("a1", "a2", "b1", "c1", "a3")))
        assert results == ["A1", "A2", "B1", "C1", "A3"]
        assert database.ran == [["a1", "b1"], ["a2", "c1"], ["a3"]]

    play(script)


@pytest.mark.parametrize(("item", "error"), [("poison", StoreError), ("mistake", ZeroDivisionError)])
def test_a_refusal_or_a_mistake_is_only_for_whom_it_is_about(item: str, error: type[Exception]) -> None:
    async def script(database: Database) -> None:
        batch = Batch(database.run, key=lambda item: item)
        tasks = [asyncio.create_task(batch.submit(each)) for each in ("a", item, "b")]
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert (results[0], results[2]) == ("A", "B") and isinstance(results[1], error)
        assert database.ran == [["a", item, "b"], ["a"], [item], ["b"]]

    play(script)


def test_who_waits_alone_keeps_nobody_waiting() -> None:
    async def script(database: Database) -> None:
        async def run(items: Sequence[str]) -> Sequence[str]:
            if items == ["slow"]:
                await held.wait()
            if "slow" in items:
                raise StoreError("too slow")
            return await database.run(items)

        held = asyncio.Event()
        batch = Batch(run, key=lambda item: item)
        slow = asyncio.create_task(batch.submit("slow"))
        assert await asyncio.gather(*(batch.submit(item) for item in "ab")) == ["A", "B"]
        assert not slow.done()
        held.set()
        with pytest.raises(StoreError):
            await slow

    play(script)


def test_what_is_nobodys_fault_is_told_to_all_at_once() -> None:
    async def script(database: Database) -> None:
        batch = Batch(database.run, key=lambda item: item)
        results = await asyncio.gather(batch.submit("a"), batch.submit("gone"), return_exceptions=True)
        assert [type(result) for result in results] == [DatabaseUnavailableError] * 2 and len(database.ran) == 1
        assert await batch.submit("b") == "B"

    play(script)


def test_a_caller_that_gave_up_spoils_nothing() -> None:
    async def script(database: Database) -> None:
        batch = Batch(database.run, key=lambda item: item)
        database.gate.clear()
        gone, stays = asyncio.create_task(batch.submit("a")), asyncio.create_task(batch.submit("b"))
        await asyncio.sleep(0)
        gone.cancel()
        database.gate.set()
        assert await stays == "B"

    play(script)


def test_who_comes_just_when_the_last_one_ends_is_not_forgotten() -> None:
    async def script(database: Database) -> None:
        batch = Batch(database.run, key=lambda item: item)

        async def chain(first: str, second: str) -> str:
            await batch.submit(first)
            return await asyncio.wait_for(batch.submit(second), 5)

        assert await asyncio.gather(*(chain(f"a{n}", f"b{n}") for n in range(5))) == [f"B{n}" for n in range(5)]

    play(script)


def test_several_statements_may_be_under_way_at_a_time() -> None:
    async def script(database: Database) -> None:
        batch = Batch(database.run, key=lambda item: item, most=1, at_once=2)
        database.gate.clear()
        tasks = [asyncio.create_task(batch.submit(item)) for item in "abc"]
        for _ in range(3):
            await asyncio.sleep(0)
        assert database.ran == [["a"], ["b"]]
        database.gate.set()
        assert await asyncio.gather(*tasks) == ["A", "B", "C"]

    play(script)
