"""A job's end is written to the Server Task Log, whatever the end is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from miniepo.errors import DatabaseUnavailableError, TransferError
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

    async def set_state(self, log_id: int, state: str) -> None:
        self.messages.append(f"is {state}")

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
        cancelled = await jobs.cancel(log_id)
        return early, cancelled, await jobs.wait(log_id), await jobs.cancel(99)

    assert asyncio.run(run()) == ("In Progress", True, "Ended", False)
    assert log.states == {1: "Ended"} and log.messages == ["is Pending Termination"]


class Lent:
    """Work that has given others something to do, until it is taken back."""

    def __init__(self, refused: bool = False) -> None:
        self.taken_back = 0
        self._refused = refused
        self.begun, self.taking, self.go_on = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(self, say: Say) -> None:
        self.begun.set()
        await asyncio.Event().wait()

    async def take_back(self) -> None:
        self.taking.set()
        await self.go_on.wait()
        if self._refused:
            raise DatabaseUnavailableError
        self.taken_back += 1


@pytest.mark.parametrize(("refused", "taken_back"), [(False, 1), (True, 0)])
def test_what_a_user_cancels_is_taken_back_once_before_it_has_ended(refused: bool, taken_back: int) -> None:
    log, lent = ListedLog(), Lent(refused)

    async def run() -> str:
        jobs = Jobs(log)  # type: ignore[arg-type]
        log_id = await jobs.start("Wake", "admin", "manual", lent.work, lent.take_back)
        await lent.begun.wait()
        assert await jobs.cancel(log_id) is True
        await lent.taking.wait()
        assert await jobs.cancel(log_id) is True and log.states == {1: "In Progress"}
        lent.go_on.set()
        return await jobs.wait(log_id, 10)

    assert asyncio.run(run()) == "Ended"
    assert log.states == {1: "Ended"} and lent.taken_back == taken_back
    assert ("what it had given to others could not be taken back: " in "".join(log.messages)) is refused


def test_a_server_that_ends_takes_nothing_back() -> None:
    log, lent = ListedLog(), Lent()

    async def run() -> None:
        jobs = Jobs(log)  # type: ignore[arg-type]
        await jobs.start("Wake", "admin", "manual", lent.work, lent.take_back)
        await lent.begun.wait()
        await jobs.cancel_all()

    asyncio.run(run())
    assert log.states == {1: "Ended"} and not lent.taking.is_set()
