"""What the console is told of jobs that belong together, and how their end is waited for."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from miniepo.errors import DatabaseUnavailableError
from miniepo.server.batch import Order, Outcome, carry_out, until_finished
from miniepo.server.jobs import Jobs
from miniepo.server.wakeup_plan import Unwoken
from miniepo.store.subtasks import Subtask, Target
from miniepo.store.work import WorkState
from tests.unit.miniepo.standins import CountingEntropy, SetClock
from tests.unit.miniepo.systems import system

OPEN = WorkState(1, 7, "wakeup", "pc-1", "w-1", None, "", None)
DONE = WorkState(1, 7, "wakeup", "pc-1", "w-1", "completed", "", "hq/epo")


def test_the_reply_is_the_recorded_one() -> None:
    assert Outcome(2, 1, 0, 5, {}).text == "completed: 2\nfailed: 1\nexpired: 0"


class Queue:
    """A queue that answers in this order, its last answer for ever; each wait between takes ten seconds."""

    def __init__(self, *answers: WorkState | Exception) -> None:
        self._answers = list(answers)
        self.clock = SetClock()
        self.started = self.clock.at

    async def batch(self, _: str) -> list[WorkState]:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return [answer]

    async def wait(self, _: float) -> None:
        self.clock.at += 10

    def until_finished(self) -> list[WorkState]:
        store, heard = cast(Any, SimpleNamespace(work=self)), cast(Any, self)
        return asyncio.run(until_finished(store, heard, "batch", self.clock, 60))


def test_a_database_that_restarts_in_between_is_borne() -> None:
    assert Queue(OPEN, DatabaseUnavailableError(), DatabaseUnavailableError(), DONE).until_finished() == [DONE]


def test_a_database_that_stays_away_is_not_waited_for_for_ever() -> None:
    queue = Queue(OPEN, DatabaseUnavailableError())
    with pytest.raises(DatabaseUnavailableError):
        queue.until_finished()
    assert queue.clock.at - queue.started == 60


class World:
    """A server's database in memory: one entry of the log, its subtasks, and jobs that no handler does."""

    def __init__(self) -> None:
        self.entry = ""
        self.lines: list[str] = []
        self.subtasks_opened: list[Subtask] = []
        self.states: dict[int, str] = {}
        self.jobs: list[WorkState] = []
        self.queued = asyncio.Event()
        log = SimpleNamespace(open=self._open, add_all=self._add_all, set_state=self._set_state, close=self._set_state)
        subtasks = SimpleNamespace(open=self._open_subtasks, of_task=self._of_task, set_states=self._set_states)
        work = SimpleNamespace(
            add_wakeup=self._add, announce=self._announce, batch=self._batch, withdraw=self._withdraw
        )
        self.task_log, self.subtasks, self.work = log, subtasks, work

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["World"]:
        yield self

    async def _open(self, *_: object) -> int:
        return 5

    async def _add_all(self, _: int, lines: Sequence[tuple[str, int | None]]) -> None:
        self.lines += [line for line, _ in lines]

    async def _set_state(self, _: int, state: str) -> None:
        self.entry = state

    async def _open_subtasks(self, log_id: int, targets: Sequence[Target]) -> list[Subtask]:
        self.subtasks_opened = [
            Subtask(number, log_id, each.guid, each.system_id, each.name, "In Progress", "", "", "", None, NOW, None)
            for number, each in enumerate(targets, 1)
        ]
        return self.subtasks_opened

    async def _of_task(self, _: int) -> list[Subtask]:
        return self.subtasks_opened

    async def _set_states(self, states: Mapping[int, str]) -> None:
        self.states.update(states)

    async def _add(self, target: int, _: str, wakeup_id: str, *rest: object) -> None:
        outcome = "completed" if target == 1 else None
        self.jobs.append(WorkState(target, target, "wakeup", f"pc-{target}", wakeup_id, outcome, "woken", None))

    async def _announce(self) -> None:
        self.queued.set()

    async def _batch(self, _: str) -> list[WorkState]:
        return list(self.jobs)

    async def _withdraw(self, _: str, message: str) -> None:
        ended = [WorkState(each.id, each.target, each.kind, each.name, each.wakeup_id, "expired", message, None)
                 if each.outcome is None else each for each in self.jobs]  # fmt: skip
        self.jobs = ended


class NeverHeard:
    """Notices that never come."""

    def __init__(self, *_: object) -> None:
        pass

    async def listen(self) -> None:
        await asyncio.Event().wait()

    async def wait(self, _: float) -> None:
        await asyncio.Event().wait()


NOW = datetime.now(UTC)


def order(id: int) -> Order:
    return Order(system(id=id, name=f"pc-{id}", fqdn=f"pc-{id}.test"), "wakeup", f"w-{id}", {}, None, 300)


def cancelled(world: World, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """What came of three systems, of which one was done with, when a user cancelled it."""
    monkeypatch.setattr("miniepo.server.batch.Notices", NeverHeard)

    async def run() -> Outcome:
        jobs = Jobs(cast(Any, world.task_log))
        settings = SimpleNamespace(database=None)
        services = SimpleNamespace(
            store=world, jobs=jobs, entropy=CountingEntropy(), clock=SetClock(), settings=settings
        )
        unwoken = [Unwoken("pc-3", "it has no agent")]
        waiting = asyncio.create_task(carry_out(cast(Any, services), "Wake", "admin", [order(1), order(2)], unwoken))
        await world.queued.wait()
        assert await jobs.cancel(5) is True
        return await waiting

    async def in_time() -> Outcome:
        async with asyncio.timeout(10):
            return await run()

    return asyncio.run(in_time())


def test_what_is_cancelled_leaves_the_queue_and_its_systems_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    outcome = cancelled(world, monkeypatch)
    assert (outcome.completed, outcome.failed, outcome.expired) == (1, 1, 1)
    assert [each.outcome for each in world.jobs] == ["completed", "expired"] and world.entry == "Ended"
    assert world.states == {1: "Completed", 2: "Ended", 3: "Failed"}
    assert world.lines == [
        "pc-1: completed: woken (wake-up w-1)",
        "pc-2: expired: cancelled (wake-up w-2)",
        "pc-3: failed: it has no agent",
    ]


def test_what_is_cancelled_before_it_is_queued_has_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()

    async def never(*_: object) -> None:
        world.queued.set()
        await asyncio.Event().wait()

    world.work.add_wakeup = never
    assert cancelled(world, monkeypatch).failed == 1
    assert world.entry == "Ended" and world.states == {1: "Ended", 2: "Ended", 3: "Failed"}
