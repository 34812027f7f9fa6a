"""Waits end in time, and whoever is told to end in one does, at whatever moment that is."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from miniepo.patience import within

Wait = Callable[[Awaitable[str], float], Awaitable[str]]


async def arrived(text: str = "here") -> str:
    return text


async def never() -> str:
    await asyncio.Event().wait()
    return "never"


async def goes_on(wait: Wait) -> bool:
    """Whether a task goes on that is cancelled at the moment at which what it waits for has come."""
    coming: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    waiting: asyncio.Future[str] = asyncio.ensure_future(wait(coming, 5.0))
    await asyncio.sleep(0)
    coming.set_result("here")
    waiting.cancel()
    await asyncio.wait([waiting])
    return not waiting.cancelled()


def test_a_cancellation_at_the_moment_of_the_answer_is_heard() -> None:
    assert not asyncio.run(goes_on(within))


def test_what_comes_in_time_is_given() -> None:
    assert asyncio.run(within(arrived(), 5.0)) == "here"
    assert asyncio.run(within(arrived(), None)) == "here"
    assert asyncio.run(within(arrived(), 0.0)) == "here"


def test_what_does_not_is_cancelled() -> None:
    async def run() -> bool:
        late: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        with pytest.raises(TimeoutError):
            await within(late, 0.01)
        return late.cancelled()

    assert asyncio.run(run())


def test_a_limit_within_a_limit_is_its_own() -> None:
    async def run() -> str:
        with pytest.raises(TimeoutError):
            await within(within(never(), 0.01), 60.0)
        with pytest.raises(TimeoutError):
            await within(within(never(), 60.0), 0.01)
        return await within(arrived(), 1.0)

    assert asyncio.run(run()) == "here"


def test_nothing_in_the_package_waits_otherwise() -> None:
    sources = (Path(__file__).parents[3] / "packages" / "miniepo" / "src").rglob("*.py")
    assert [path.name for path in sources if "asyncio.wait_for(" in path.read_text()] == []
