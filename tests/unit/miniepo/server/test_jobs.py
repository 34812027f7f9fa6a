"""A job's end is written to the Server Task Log, whatever the end is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from miniepo.errors import TransferError
from miniepo.server.jobs import Jobs, Say


class ListedLog:
    """A task log in memory."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.states: dict[int, str] = {}

    async def open(self, name: str, user: str, source: str) -> int:
        self.states[len(self.states) + 1] = "In Progress"
        return len(self.states)

    async def add(self, log_id: int, message: str) -> None:
        self.messages.append(message)

    async def close(self, log_id: int, state: str) -> None:
        self.states[log_id] = state

    async def state(self, log_id: int) -> str:
        return self.states.get(log_id, "")


async def fine(say: Say) -> None:
    await say("half way")


async def unlucky(say: Say) -> None:
    raise TransferError("the line broke")


async def broken(say: Say) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("work", "state", "message"),
    [(fine, "Completed", "half way"), (unlucky, "Failed", "the line broke"), (broken, "Failed", "an error of the")],
)
def test_the_end_is_logged(work: Callable[[Say], Awaitable[None]], state: str, message: str) -> None:
    log = ListedLog()

    async def run() -> str:
        jobs = Jobs(log)  # type: ignore[arg-type]
        log_id = await jobs.start("Pull", "admin", "manual", work)
        await jobs.wait(log_id)
        return await jobs.wait(log_id)

    assert asyncio.run(run()) == state
    assert log.states == {1: state} and log.messages[0].startswith(message)


def test_a_running_job_can_be_waited_for_and_cancelled() -> None:
    log = ListedLog()

    async def run() -> tuple[str, bool, str, bool]:
        jobs = Jobs(log)  # type: ignore[arg-type]

        async def endless(say: Say) -> None:
            await asyncio.Event().wait()

        log_id = await jobs.start("Pull", "admin", "manual", endless)
        early = await jobs.wait(log_id, 0.01)
        cancelled = jobs.cancel(log_id)
        return early, cancelled, await jobs.wait(log_id), jobs.cancel(99)

    assert asyncio.run(run()) == ("In Progress", True, "Ended", False)
    assert log.states == {1: "Ended"}
