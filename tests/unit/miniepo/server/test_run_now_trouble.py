"""Run Client Task Now while the database is away, two things happen at once, a user cancels in between, or nobody
tells the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from miniepo.errors import DatabaseUnavailableError, StoreError
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.messages import ClientTask
from miniepo.protocol.run_now import PRODUCT, TASK_STATUS
from miniepo.server.run_now import CENSUS_SECONDS, Options, RunNow
from miniepo.server.run_now_action import GRACE_SECONDS
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

    async def _record(self, id: int, state: str, *rest: object) -> None:
        await self._does("record")
        self.states[id] = state
        if rest[-1]:
            self.lines.append(str(rest[-1]))

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


@pytest.fixture
def played(tmp_path: Path) -> Callable[[Script], World]:
    def play(script: Script) -> World:
        world = World()
        run_now = RunNow(cast(Any, world), cast(Any, world), Limit(tmp_path), "5.9.1", world.clock)
        asyncio.run(_in_time(script(world, run_now)))
        return world

    return play


async def _in_time(script: Awaitable[None]) -> None:
    async with asyncio.timeout(10):
        await script


async def start(run_now: RunNow, *versions: str, options: Options = PLAIN) -> int:
    systems = [system(id=id, guid=f"G{id}", version=version) for id, version in enumerate(versions or ("5.0.6",), 1)]
    return await run_now.start(systems, TASK, options, "admin")


def succeeded(message: str = "1") -> ChannelMessage:
    return report("succeeded", 100, message)


def report(status: str, percent: int = 0, message: str = "1") -> ChannelMessage:
    payload = {"status": status, "percent": percent}
    return ChannelMessage(id=message, product=PRODUCT, kind=TASK_STATUS, correlation="42", payload=payload, expires=0)


def test_an_end_that_could_not_be_logged_is_logged_by_the_next_look(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now)
        world.refused = {"close"}
        await run_now.received("G1", succeeded())
        await run_now.look()
        assert world.closed == []
        world.refused = set()
        await run_now.look()
        await run_now.look()

    world = played(script)
    assert (world.closed, world.lines) == (["Completed"], ["succeeded"])


def test_the_last_two_reports_at_once_end_it_once(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now, "5.0.6", "5.0.6")
        _, go_on = world.hold("close")
        reports = [asyncio.create_task(run_now.received(guid, succeeded())) for guid in ("G1", "G2")]
        await world.begun["close"].wait()
        again = asyncio.create_task(run_now.received("G2", succeeded()))
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*reports, again)
        await run_now.look()

    assert played(script).closed == ["Completed"]


def test_an_end_that_was_broken_off_is_logged_by_the_next_look(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now)
        begun, go_on = world.hold("close")
        report = asyncio.create_task(run_now.received("G1", succeeded()))
        await begun.wait()
        report.cancel()
        await asyncio.gather(report, return_exceptions=True)
        go_on.set()
        await run_now.look()

    assert played(script).closed == ["Completed"]


def test_an_action_is_not_forgotten_before_its_end_is_logged(
    played: Callable[[Script], World], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now)
        world.refused = {"close"}
        await run_now.received("G1", succeeded())
        await start(run_now)
        world.refused = set()
        await run_now.look()
        await start(run_now)
        assert [each["taskLogId"] for each in run_now.views()] == [43, 44]

    monkeypatch.setattr("miniepo.server.run_now.KEPT_ACTIONS", 1)
    assert played(script).closed == ["Completed"]


@pytest.mark.parametrize("version", ["5.0.6", "4.5.0"])
def test_what_could_not_be_queued_fails_when_the_database_is_back(
    played: Callable[[Script], World], version: str
) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        world.refused = {"send", "record", "close"}
        assert await start(run_now, version, "5.0.6") == 42
        with pytest.raises(StoreError):
            await run_now.look()
        world.refused = set()
        await run_now.look()
        assert run_now.views()[0]["state"] == "Failed"

    world = played(script)
    assert world.lines == [f"refused: it could not be queued: {AWAY}"] * 2
    assert (world.states, world.closed) == ({1: "Failed", 2: "Failed"}, ["Failed"])


def test_what_could_not_be_queued_fails_at_once_where_it_can(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        world.refused = {"send"}
        await start(run_now, "4.5.0", "5.0.6")

    world = played(script)
    assert world.lines == ["refused: agent 4.5.0 is older than 4.6", f"refused: it could not be queued: {AWAY}"]
    assert world.closed == ["Failed"]


def test_a_start_that_is_broken_off_leaves_nothing_open(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        begun, _ = world.hold("send")
        starting = asyncio.create_task(start(run_now))
        await begun.wait()
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await run_now.look()

    world = played(script)
    assert (world.lines, world.closed) == (["refused: it could not be queued"], ["Failed"])


def test_a_cancelling_while_it_is_queued_reaches_the_queue(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        begun, go_on = world.hold("send")
        starting = asyncio.create_task(start(run_now))
        await begun.wait()
        cancelling = asyncio.create_task(run_now.cancel(42, "admin"))
        await asyncio.sleep(0)
        go_on.set()
        await starting
        assert await cancelling is True
        assert await run_now.cancel(42, "admin") is False

    world = played(script)
    assert [item.message for item in world.items.values()] == ["cancelled by admin"]
    assert (world.lines, world.closed) == (["cancelled by admin"], ["Ended"])


@pytest.mark.parametrize("refused", ["withdraw", "withdrawn", "record"])
def test_a_cancelling_that_broke_off_is_no_failure(played: Callable[[Script], World], refused: str) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now, "5.0.6", "5.0.6")
        world.refused = {refused}
        with pytest.raises(StoreError):
            await run_now.cancel(42, "admin")
        world.refused = set()
        await run_now.look()
        await run_now.look()

    world = played(script)
    assert [item.message for item in world.items.values()] == ["cancelled by admin"] * 2
    assert (world.lines, world.closed) == (["cancelled by admin"] * 2, ["Ended"])


def test_a_look_in_the_middle_of_a_cancelling_refuses_nobody(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now, "5.0.6", "5.0.6")
        begun, go_on = world.hold("withdrawn")
        cancelling = asyncio.create_task(run_now.cancel(42, "admin"))
        await begun.wait()
        looking = asyncio.create_task(run_now.look())
        for _ in range(20):
            await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(cancelling, looking)

    world = played(script)
    assert (world.lines, world.closed) == (["cancelled by admin"] * 2, ["Ended"])


DAY = 86400.0
SILENT = "unknown: its agent has said nothing for {} minutes"


def test_an_agent_that_has_a_new_guid_is_followed_by_it(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now, "5.0.6", "5.0.6")
        await run_now.received("G1", report("received"))
        world.there = {"NEW": 1, "G2": 2}
        for each in (report("started"), succeeded()):
            await run_now.received("NEW", each)
        world.there = {}
        await run_now.received("NEW", succeeded())
        await run_now.received("G2", succeeded())

    world = played(script)
    assert (world.lines[:3], world.closed) == (["sent", "started", "succeeded"], ["Completed"])
    assert world.states == {1: "Completed", 2: "Completed"}


def test_a_report_of_another_system_ends_nothing(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now)
        world.there["OTHER"] = 9
        world.subtasks.of_agent = _nothing
        await run_now.received("OTHER", succeeded())

    assert played(script).states == {}


async def _nothing(*_: object) -> None:
    """Nothing is found."""


@pytest.mark.parametrize("forgotten", [False, True])
def test_a_request_that_was_delivered_and_never_told_of_ends_as_unknown(
    played: Callable[[Script], World], forgotten: bool
) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now, "5.0.6", "5.0.6", options=Options(abort_minutes=5))
        world.delivered(1)
        if forgotten:
            del world.items[1]
        world.clock.at += 5 * 60 + GRACE_SECONDS
        await run_now.look()
        assert world.states == {}
        world.clock.at += 1
        await run_now.look()
        assert world.states == {1: "Ended"} and world.closed == []

    assert played(script).lines == [SILENT.format(6)]


def test_one_that_tells_how_it_goes_is_never_cut_off_and_one_that_stops_telling_ends_as_unknown(
    played: Callable[[Script], World],
) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now, options=Options(abort_minutes=5))
        world.delivered(1)
        for each in (report("received"), report("started"), *(report("progress", done) for done in (20, 40, 60))):
            await run_now.received("G1", each)
            world.clock.at += DAY
            await run_now.look()
        assert world.states == {1: "In Progress"}
        world.clock.at += 1
        await run_now.look()

    world = played(script)
    assert (world.lines[-1], world.closed) == (SILENT.format(1440), ["Ended"])


def test_who_allows_more_time_is_not_cut_off_before(played: Callable[[Script], World]) -> None:
    allowed = Options(abort_minutes=1, stop_minutes=2000, random_minutes=60)
    assert (allowed.quiet_seconds, Options(abort_minutes=3000).quiet_seconds) == (2060 * 60, 3000 * 60)
    assert Options().quiet_seconds == DAY

    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now, options=allowed)
        world.delivered(1)
        await run_now.received("G1", report("received"))
        world.clock.at += 2060 * 60
        await run_now.look()

    assert played(script).closed == []


def test_systems_that_are_deleted_end_and_nobody_asks_for_them_any_more(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now, "5.0.6", "5.0.6", "5.0.6")
        world.delivered(1, 2)
        for guid in ("G1", "G2"):
            await run_now.received(guid, report("started"))
        await run_now.look()
        del world.items[3]
        world.there = {"G2": 2}
        world.clock.at += CENSUS_SECONDS
        await run_now.look()
        assert world.states == {1: "Ended", 2: "In Progress", 3: "Failed"} and world.closed == []
        world.there = {}
        world.clock.at += CENSUS_SECONDS
        await run_now.look()
        world.asked = 0
        await run_now.look()
        assert world.asked == 0

    world = played(script)
    assert world.lines[2:] == ["refused: the system is gone", *["unknown: the system is gone"] * 2]
    assert world.closed == ["Failed"]


def test_what_runs_is_not_looked_up_at_each_look(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now)
        await run_now.received("G1", report("started"))
        for _ in range(int(3 * CENSUS_SECONDS)):
            await run_now.look()
            world.clock.at += 1
        assert world.asked == 3

    played(script)
