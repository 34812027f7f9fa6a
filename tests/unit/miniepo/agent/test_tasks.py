"""When client tasks run, and how a run goes."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from miniepo.agent.enforcement import Enforcer
from miniepo.agent.settings import UpdateSettings
from miniepo.agent.state import StateDirectory
from miniepo.agent.tasks import MAX_EVERY_SECONDS, Outcome, TaskRunner, Unwatched, choose_due, every_seconds
from miniepo.agent.update import Updater
from miniepo.errors import UnreachableError
from miniepo.protocol.messages import ClientTask, TaskSet
from miniepo.protocol.task_settings import UpdateTask
from tests.unit.miniepo.standins import CountingEntropy, SetClock, agent_config, state_directory


def task(task_id: str, **schedule: Any) -> ClientTask:
    return ClientTask(id=task_id, name=task_id, type="update", schedule=schedule)


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [
        ({"every_seconds": 60}, 60),
        ({"every_seconds": 0}, 1),
        ({}, 86_400),
        ({"every_seconds": "soon"}, 86_400),
        ({"every_seconds": 10**400}, MAX_EVERY_SECONDS),
    ],
)
def test_a_schedule_is_an_interval(schedule: dict[str, Any], seconds: float) -> None:
    assert every_seconds(task("a", **schedule)) == seconds


def test_a_new_task_is_due_at_once_and_then_by_its_interval() -> None:
    tasks = (task("a", every_seconds=60),)
    assert choose_due(tasks, {}, 1000.0) == tasks[0]
    assert choose_due(tasks, {"a": 1000.0}, 1059.0) is None
    assert choose_due(tasks, {"a": 1000.0}, 1060.0) == tasks[0]


def test_the_longest_overdue_comes_first() -> None:
    tasks = (task("a", every_seconds=60), task("b", every_seconds=10))
    assert choose_due(tasks, {"a": 1000.0, "b": 1000.0}, 1070.0) == tasks[1]
    assert choose_due((), {}, 0.0) is None


class Watched:
    """Notes what a run tells."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def begins(self) -> None:
        self.told.append("begins")

    def progressed(self, percent: int, text: str) -> None:
        self.told.append(f"{percent} %")


class NoUpdater:
    """Every update ends like this."""

    def __init__(self, error: Exception | None = None) -> None:
        self._error = error or UnreachableError("no repository could be used")

    async def run(self, settings: UpdateSettings, wanted: UpdateTask) -> Any:
        raise self._error


def runner(folder: Path, error: Exception | None = None) -> tuple[TaskRunner, StateDirectory]:
    state = state_directory(folder)
    enforcer = Enforcer(agent_config(folder), state, ())
    updater = cast(Updater, NoUpdater(error))
    return TaskRunner(state, enforcer, updater, SetClock(), CountingEntropy(), lambda: None), state


def scan_task(folder: Path, **settings: Any) -> ClientTask:
    (folder / "scanned").mkdir()
    (folder / "scanned/file").write_bytes(b"text")
    return ClientTask(id="7", name="Scan", type="scan", settings={"folder": str(folder / "scanned"), **settings})


def test_a_watched_run_tells_its_beginning_and_progress_and_is_noted(tmp_path: Path) -> None:
    own, state = runner(tmp_path)
    watched = Watched()
    outcome = asyncio.run(own.run_watched(scan_task(tmp_path), "42.1", watched))
    assert outcome.status == "succeeded" and watched.told == ["begins", "100 %"] and not own.busy
    assert [(noted.task_id, noted.run_id, noted.status) for noted in state.statuses] == [("7", "42.1", "succeeded")]


def test_a_run_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    own, state = runner(tmp_path)
    outcome = asyncio.run(own.run_watched(scan_task(tmp_path, seconds=60), "42.1", Unwatched(), stop_seconds=0.01))
    assert (outcome.status, outcome.text) == ("stopped", "after 0.01 seconds")
    assert [noted.status for noted in state.statuses] == ["failed"]


def test_what_a_task_cannot_do_fails_it_aloud(tmp_path: Path) -> None:
    own, _ = runner(tmp_path)
    assert asyncio.run(own.run(task("a"))).line == "failed: no repository could be used"
    unknown = ClientTask(id="8", name="Deploy", type="deploy")
    assert asyncio.run(own.run(unknown)).line == "failed: tasks of type deploy are not for this agent"
    assert Outcome("succeeded", "already latest").line == "already latest"


@pytest.mark.parametrize(("kind", "settings"), [("update", {"products": 5}), ("scan", {"seconds": "long"})])
def test_settings_that_nobody_understands_fail_the_task_and_nothing_else(
    tmp_path: Path, kind: str, settings: dict[str, Any]
) -> None:
    own, state = runner(tmp_path)
    outcome = asyncio.run(own.run(ClientTask(id="9", name="Wrong", type=kind, settings=settings)))
    assert outcome.status == "failed" and "settings cannot be understood" in outcome.text
    assert [noted.status for noted in state.statuses] == ["failed"] and not own.busy


def test_a_task_that_breaks_fails_and_the_log_has_its_traceback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own, state = runner(tmp_path, error=TypeError("argument of type 'int' is not iterable"))
    outcome = asyncio.run(own.run(task("a")))
    assert outcome == Outcome("failed", "the agent broke at it: TypeError; its log has the traceback")
    assert "Traceback" in caplog.text and "argument of type 'int' is not iterable" in caplog.text
    assert [noted.status for noted in state.statuses] == ["failed"] and not own.busy


def test_a_watcher_that_breaks_fails_the_task_only(tmp_path: Path) -> None:
    class Broken(Watched):
        def progressed(self, percent: int, text: str) -> None:
            raise UnicodeEncodeError("utf-8", "\udce9", 0, 1, "surrogates not allowed")

    own, _ = runner(tmp_path)
    outcome = asyncio.run(own.run_watched(scan_task(tmp_path), "42.1", Broken()))
    assert outcome.status == "failed" and "UnicodeEncodeError" in outcome.text


def test_an_outcome_that_the_disk_does_not_take_ends_neither_the_agent_nor_its_other_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: StateDirectory, value: object) -> None:
        raise OSError(28, "No space left on device")

    async def life() -> None:
        assert (await own.run(scan_task(tmp_path))).status == "succeeded"
        async with asyncio.timeout(0.2):
            await own.loop()

    own, state = runner(tmp_path)
    state.tasks = TaskSet(version="1", tasks=(task("a"), task("b")))
    monkeypatch.setattr(StateDirectory, "statuses", property(lambda _: (), full))
    with pytest.raises(TimeoutError):
        asyncio.run(life())
    noted = "how task {} went could not be noted: [Errno 28] No space left on device"
    assert [noted.format(id) in caplog.text for id in ("Scan", "a", "b")] == [True, True, True]
