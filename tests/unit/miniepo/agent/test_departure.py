"""What happens when an agent is told to end."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from miniepo.agent.departure import live


class Life:
    """Notes what happens, and tells itself to end."""

    def __init__(self, number: signal.Signals | None) -> None:
        self.events: list[str] = []
        self._number = number

    async def run(self) -> None:
        self.events.append("lives")
        if self._number is None:
            return
        os.kill(os.getpid(), self._number)
        try:
            await asyncio.Event().wait()
        finally:
            self.events.append("ends")

    async def goodbye(self) -> None:
        self.events.append("goodbye")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_lets_it_say_goodbye_while_it_lives(number: signal.Signals) -> None:
    life = Life(number)
    asyncio.run(live(life.run(), life.goodbye))
    assert life.events == ["lives", "goodbye", "ends"]


def test_a_life_that_ends_by_itself_says_nothing() -> None:
    life = Life(None)
    asyncio.run(live(life.run(), life.goodbye))
    assert life.events == ["lives"]


def test_a_life_that_breaks_breaks_aloud() -> None:
    async def broken() -> None:
        raise OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        asyncio.run(live(broken(), Life(None).goodbye))


def test_a_goodbye_that_takes_too_long_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    life = Life(signal.SIGTERM)

    async def forever() -> None:
        await asyncio.Event().wait()

    asyncio.run(live(life.run(), forever, seconds=0.01))
    assert life.events == ["lives", "ends"] and "after the next start" in caplog.text


def test_a_part_that_loses_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a wait does that is over at the moment of the cancellation (asyncio.wait_for before Python 3.12)."""
    monkeypatch.setattr("miniepo.agent.departure._AGAIN_SECONDS", 0.01)
    events: list[str] = []

    async def part() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            events.append("lost")
        await asyncio.Event().wait()

    async def run() -> None:
        async with asyncio.TaskGroup() as parts:
            parts.create_task(part())
            await asyncio.sleep(0)
            os.kill(os.getpid(), signal.SIGTERM)

    async def goodbye() -> None:
        events.append("goodbye")

    asyncio.run(asyncio.wait_for(live(run(), goodbye), 5))
    assert events == ["goodbye", "lost"]
