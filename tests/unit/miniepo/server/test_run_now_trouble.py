"""Run Client Task Now while the database is away, two things happen at once, or a user cancels in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from miniepo.errors import StoreError
from miniepo.server.run_now import RunNow
from tests.unit.miniepo.server.run_now_world import AWAY, Script, World, start, succeeded


def test_an_end_that_could_not_be_logged_is_logged_by_the_next_look(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now)
        world.refused = {"close"}
        await run_now.received("G1", [succeeded()])
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
        reports = [asyncio.create_task(run_now.received(guid, [succeeded()])) for guid in ("G1", "G2")]
        await world.begun["close"].wait()
        again = asyncio.create_task(run_now.received("G2", [succeeded()]))
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*reports, again)
        await run_now.look()

    assert played(script).closed == ["Completed"]


def test_an_end_that_was_broken_off_is_logged_by_the_next_look(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now)
        begun, go_on = world.hold("close")
        report = asyncio.create_task(run_now.received("G1", [succeeded()]))
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
        await run_now.received("G1", [succeeded()])
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
