"""Loops that run and end together."""

import asyncio

import pytest

from miniepo.swarm.life import run_all


class Stubborn:
    """A loop that takes the first orders to end for something else."""

    def __init__(self, deaf: int) -> None:
        self.deaf = deaf
        self.ended = False

    async def run(self) -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.deaf -= 1
                if self.deaf < 0:
                    self.ended = True
                    raise


async def failing() -> None:
    await asyncio.sleep(0)
    raise ValueError("one of them")


def test_all_end_when_told_to_also_those_that_do_not_listen_at_once() -> None:
    loops = [Stubborn(deaf) for deaf in (0, 1, 2)]

    async def script() -> None:
        running = asyncio.create_task(run_all(loop.run() for loop in loops))
        for _ in range(3):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(running, 10)

    asyncio.run(script())
    assert [loop.ended for loop in loops] == [True, True, True]


def test_a_failure_of_one_ends_the_others_and_is_told() -> None:
    other = Stubborn(0)

    async def script() -> None:
        with pytest.raises(ValueError, match="one of them"):
            await run_all([other.run(), failing()])

    asyncio.run(script())
    assert other.ended
