"""Reports of Run Client Task Now that come together: what an agent says in one visit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from miniepo.server.run_now import RunNow
from tests.unit.miniepo.server.run_now_world import Script, World, report, start, succeeded


def test_what_an_agent_says_at_a_time_is_recorded_at_a_time(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now)
        await run_now.received("G1", [report("received"), report("started"), report("progress", 50), succeeded()])
        (row,) = (await run_now.watch(42))["subtasks"]
        assert (row["state"], row["percent"], row["message"]) == ("Completed", 100, "succeeded")

    world = played(script)
    assert (world.lines, world.records) == (["sent", "started", "progress 50 %", "succeeded"], 1)
    assert (world.states, world.closed) == ({1: "Completed"}, ["Completed"])


def test_what_says_nothing_new_is_not_recorded(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now)
        for _ in range(2):
            await run_now.received("G1", [report("received"), report("started")])

    world = played(script)
    assert (world.lines, world.records) == (["sent", "started"], 1)


def test_what_is_no_report_keeps_no_report_back(
    played: Callable[[Script], World], caplog: pytest.LogCaptureFixture
) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        await start(run_now)
        await run_now.received("G1", [report("received"), report("perhaps"), succeeded()])

    assert played(script).lines == ["sent", "succeeded"]
    assert "G1: no Report of Run Client Task Now: Invalid enum value 'perhaps'" in caplog.text


def test_reports_about_several_actions_go_each_to_its_own(played: Callable[[Script], World]) -> None:
    async def script(world: World, run_now: RunNow) -> None:
        first, second = await start(run_now), await start(run_now)
        told = (report("received", about=first), report("received", about=second), report("started", about=first))
        await run_now.received("G1", told)
        rows = [(await run_now.watch(log_id))["subtasks"][0] for log_id in (first, second)]
        assert [(row["send"], row["start"]) for row in rows] == [("Success", "Success"), ("Success", "Progress")]

    assert played(script).lines == ["sent", "sent", "started"]
