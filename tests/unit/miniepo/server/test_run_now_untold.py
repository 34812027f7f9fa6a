"""Run Client Task Now whose end nobody tells, or an agent that has another GUID by then."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from miniepo.server.run_now import CENSUS_SECONDS, Options, RunNow
from miniepo.server.run_now_action import GRACE_SECONDS
from tests.unit.miniepo.server.run_now_world import Script, World, report, start, succeeded

DAY = 86400.0
SILENT = "unknown: its agent has said nothing for {} minutes"


def test_an_agent_that_has_a_new_guid_is_followed_by_it(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now, "5.0.6", "5.0.6")
        await run_now.received("G1", [report("received")])
        world.there = {"NEW": 1, "G2": 2}
        for each in (report("started"), succeeded()):
            await run_now.received("NEW", [each])
        world.there = {}
        await run_now.received("NEW", [succeeded()])
        await run_now.received("G2", [succeeded()])

    world = played(script)
    assert (world.lines[:3], world.closed) == (["sent", "started", "succeeded"], ["Completed"])
    assert world.states == {1: "Completed", 2: "Completed"}


def test_a_report_of_another_system_ends_nothing(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now)
        world.there["OTHER"] = 9
        world.subtasks.of_agent = _nothing
        await run_now.received("OTHER", [succeeded()])

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
            await run_now.received("G1", [each])
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
        await run_now.received("G1", [report("received")])
        world.clock.at += 2060 * 60
        await run_now.look()

    assert played(script).closed == []


def test_systems_that_are_deleted_end_and_nobody_asks_for_them_any_more(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now, "5.0.6", "5.0.6", "5.0.6")
        world.delivered(1, 2)
        for guid in ("G1", "G2"):
            await run_now.received(guid, [report("started")])
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
        await run_now.received("G1", [report("started")])
        for _ in range(int(3 * CENSUS_SECONDS)):
            await run_now.look()
            world.clock.at += 1
        assert world.asked == 3

    played(script)
