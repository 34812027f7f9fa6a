"""A world in memory for a server's Run Client Task Now, in which the database is away, or waits, when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from miniepo.errors import DatabaseUnavailableError
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.messages import ClientTask
from miniepo.protocol.run_now import PRODUCT, TASK_STATUS
from miniepo.server.run_now import Options, RunNow
from miniepo.server.run_now_limit import Limit
from miniepo.store.datachannel import ItemState
from miniepo.store.subtasks import Subtask, Target
from tests.unit.miniepo.standins import SetClock
from tests.unit.miniepo.systems import system

TASK = ClientTask(id="scan-now", name="Scan", type="scan", settings={})
PLAIN = Options()
AWAY = str(DatabaseUnavailableError())


class World:
    """A database and a channel in memory. What is in `refused` the database does not do; what is in `held` waits."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.held: dict[str, asyncio.Event] = {}
        self.begun: dict[str, asyncio.Event] = {}
        self.lines: list[str] = []
        self.records = 0
        self.states: dict[int, str] = {}
        self.closed: list[str] = []
        self.items: dict[int, ItemState] = {}
        self.opened = 41
        self.asked = 0
        self.there = dict[str, int]()
        self.clock = SetClock()
        log = SimpleNamespace(open=self._open_log, add=self._add_line, close=self._close)
        subtasks = SimpleNamespace(open=self._open_subtasks, record=self._record)
        self.task_log, self.subtasks, self.datachannel = log, subtasks, SimpleNamespace(batch=self._batch)
        self.systems = SimpleNamespace(present=self._present, by_guid=self._by_guid)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[World]:
        yield self

    def hold(self, name: str) -> tuple[asyncio.Event, asyncio.Event]:
        """Set when it begins, and to be set for it to go on."""
        self.begun[name], self.held[name] = asyncio.Event(), asyncio.Event()
        return self.begun[name], self.held[name]

    async def _does(self, name: str) -> None:
        if name in self.held:
            self.begun[name].set()
            await self.held[name].wait()
        if name in self.refused:
            raise DatabaseUnavailableError

    async def _open_log(self, *_: object) -> int:
        self.opened += 1
        return self.opened

    async def _add_line(self, _: int, line: str) -> None:
        """The entry's own line tells nothing here."""

    async def _close(self, _: int, state: str) -> None:
        await self._does("close")
        self.closed.append(state)

    async def _open_subtasks(self, log_id: int, targets: Sequence[Target], segment: str) -> list[Subtask]:
        return [
            Subtask(
                number, log_id, each.guid, each.system_id, each.name, "In Progress", *[segment] * 3, None, NOW, None
            )
            for number, each in enumerate(targets, 1)
        ]

    async def _record(self, id: int, state: str, *rest: Any) -> None:
        await self._does("record")
        self.states[id] = state
        self.lines += rest[-1]
        self.records += 1

    async def _batch(self, _: str) -> list[ItemState]:
        self.asked += 1
        return list(self.items.values())

    async def _present(self, ids: Sequence[int]) -> set[int]:
        self.asked += 1
        return set(ids) & set(self.there.values())

    async def _by_guid(self, guid: str) -> Any:
        return system(id=self.there[guid], guid=guid) if guid in self.there else None

    def delivered(self, *targets: int) -> None:
        """The agents of these systems have the request."""
        for each in targets:
            self.items[each] = ItemState(each, each, "pc", "G", 1, "delivered", "", None)

    def register(self, *_: object) -> None:
        """As the channel."""

    async def send(self, targets: Sequence[int], *_: object) -> str:
        await self._does("send")
        self.items = {each: ItemState(each, each, "pc", "G", 0, None, "", None) for each in targets}
        self.there = {f"G{each}": each for each in targets}
        return "batch"

    async def withdraw(self, _: str, message: str) -> None:
        await self._does("withdraw")
        for each in self.items:
            self.items[each] = ItemState(each, each, "pc", "G", 0, "failed", message, None)
        await self._does("withdrawn")


NOW = datetime.now(UTC)
Script = Callable[[World, RunNow], Awaitable[None]]


def play(folder: Path, script: Script) -> World:
    """Run a script over a new world; the world as it is then."""
    world = World()
    run_now = RunNow(cast(Any, world), cast(Any, world), Limit(folder), "5.9.1", world.clock)
    asyncio.run(_in_time(script(world, run_now)))
    return world


async def _in_time(script: Awaitable[None]) -> None:
    async with asyncio.timeout(10):
        await script


async def start(run_now: RunNow, *versions: str, options: Options = PLAIN) -> int:
    systems = [system(id=id, guid=f"G{id}", version=version) for id, version in enumerate(versions or ("5.0.6",), 1)]
    return await run_now.start(systems, TASK, options, "admin")


def succeeded(message: str = "1") -> ChannelMessage:
    return report("succeeded", 100, message)


def report(status: str, percent: int = 0, message: str = "1", about: int = 42) -> ChannelMessage:
    return ChannelMessage(
        id=message,
        product=PRODUCT,
        kind=TASK_STATUS,
        correlation=str(about),
        payload={"status": status, "percent": percent},
        expires=0,
    )
