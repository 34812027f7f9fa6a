"""How an agent takes, runs and reports what the server wants run now, with a channel and a task runner to look into."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import msgspec
import pytest

from miniepo.agent.folder import Directory
from miniepo.agent.run_now import FILE, RunNow
from miniepo.agent.tasks import Outcome, TaskRunner, Watcher
from miniepo.errors import ConfigError, MessageError
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.messages import ClientTask
from miniepo.protocol.run_now import NO_FINAL_STATUS, PRODUCT, RUN_TASK, RunTask, read_report
from tests.unit.miniepo.standins import CountingEntropy, SetClock

TASK = ClientTask(id="7", name="Scan", type="scan")


class HeldChannel:
    """A channel whose messages stay in the test's hands."""

    def __init__(self) -> None:
        self.sent: list[ChannelMessage] = []
        self.handlers: dict[str, Callable[[ChannelMessage], Awaitable[None]]] = {}

    def register(
        self,
        product: str,
        handle: Callable[[ChannelMessage], Awaitable[None]],
        interrupted: Callable[[ChannelMessage], Awaitable[None]] | None = None,
    ) -> None:
        assert interrupted == handle, "what a kill cut short is taken by its id, as ever"
        self.handlers[product] = handle

    def send(self, message: ChannelMessage) -> None:
        self.sent.append(message)

    @property
    def told(self) -> list[str]:
        reports = [read_report(message.payload) for message in self.sent]
        return [f"{report.status} {report.percent}" if report.percent else report.status for report in reports]


class PlayedRunner:
    """A runner that plays one run: some progress, then an end, or none for as long as it is held."""

    def __init__(self, status: str = "succeeded", hold: bool = False, busy: bool = False) -> None:
        self.busy = busy
        self.runs: list[str] = []
        self._status = status
        self._hold = hold

    async def run_watched(self, task: ClientTask, run_id: str, watcher: Watcher, stop_seconds: float) -> Outcome:
        self.runs.append(run_id)
        watcher.begins()
        for percent in (3, 12, 15, 40, 100):
            watcher.progressed(percent, "a file")
        if self._hold:
            await asyncio.Event().wait()
        return Outcome(self._status, "a text")  # type: ignore[arg-type]


def request(id: str = "m-1", kind: str = RUN_TASK, **more: float) -> ChannelMessage:
    payload = msgspec.to_builtins(RunTask(task=TASK, **more))
    return ChannelMessage(
        id=id, product=PRODUCT, kind=kind, correlation="42", payload=payload, expires=SetClock().at + 60
    )


def made(folder: Path, channel: HeldChannel, runner: PlayedRunner) -> RunNow:
    return RunNow(channel, cast(TaskRunner, runner), Directory(folder), SetClock(), CountingEntropy())


async def live(own: RunNow, done: Callable[[], object], *deliveries: ChannelMessage) -> None:
    """A life of the agent that gets these messages and is killed when `done`."""
    loop = asyncio.create_task(own.loop())
    await asyncio.sleep(0)
    for message in deliveries:
        await own.handle(message)
    for _ in range(1000):
        if done():
            break
        await asyncio.sleep(0)
    else:
        raise AssertionError("it never came so far")
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)


def test_a_request_is_run_and_its_progress_told_in_steps(tmp_path: Path) -> None:
    channel, runner = HeldChannel(), PlayedRunner()
    own = made(tmp_path, channel, runner)
    assert list(channel.handlers) == [PRODUCT]
    asyncio.run(live(own, lambda: "succeeded 100" in channel.told, request()))
    assert channel.told == ["received", "started", "progress 12", "progress 40", "progress 100", "succeeded 100"]
    assert {message.correlation for message in channel.sent} == {"42"} and len(runner.runs) == 1
    assert len({message.id for message in channel.sent}) == len(channel.sent)


def test_two_deliveries_run_once_also_after_a_restart(tmp_path: Path) -> None:
    channel, runner = HeldChannel(), PlayedRunner()
    over = lambda: "succeeded 100" in channel.told  # noqa: E731
    asyncio.run(live(made(tmp_path, channel, runner), over, request(), request()))
    asyncio.run(live(made(tmp_path, channel, runner), over, request()))
    assert len(runner.runs) == 1 and channel.told.count("received") == 1


def test_a_kill_in_the_middle_is_told_in_the_next_life_and_nothing_runs_again(tmp_path: Path) -> None:
    channel, runner = HeldChannel(), PlayedRunner(hold=True)
    asyncio.run(live(made(tmp_path, channel, runner), lambda: "progress 100" in channel.told, request()))
    assert NO_FINAL_STATUS not in channel.told
    next_life = made(tmp_path, channel, runner)
    asyncio.run(live(next_life, lambda: f"{NO_FINAL_STATUS} 100" in channel.told or NO_FINAL_STATUS in channel.told))
    asyncio.run(live(made(tmp_path, channel, runner), lambda: True, request()))
    assert len(runner.runs) == 1


def test_an_agent_that_leaves_tells_it_before(tmp_path: Path) -> None:
    channel, runner = HeldChannel(), PlayedRunner(hold=True)
    own = made(tmp_path, channel, runner)

    def leaves() -> bool:
        if "progress 100" in channel.told:
            assert own.leave() and not own.leave()
        return channel.told[-1].startswith(NO_FINAL_STATUS)

    asyncio.run(live(own, leaves, request()))
    assert [told.split()[0] for told in channel.told].count(NO_FINAL_STATUS) == 1


def test_a_task_behind_another_says_that_it_waits(tmp_path: Path) -> None:
    channel, runner = HeldChannel(), PlayedRunner("failed", busy=True)
    asyncio.run(live(made(tmp_path, channel, runner), lambda: "failed 100" in channel.told, request()))
    assert channel.told[:3] == ["received", "waiting", "started"]


def test_what_the_disk_cannot_keep_is_not_run_and_told(tmp_path: Path) -> None:
    channel, runner = HeldChannel(), PlayedRunner()
    own = made(tmp_path, channel, runner)
    (tmp_path / FILE).mkdir()
    asyncio.run(own.handle(request()))
    assert channel.told == ["failed"] and FILE in read_report(channel.sent[0].payload).text
    (tmp_path / FILE).rmdir()
    asyncio.run(live(own, lambda: "succeeded 100" in channel.told, request()))
    assert len(runner.runs) == 1


def test_strange_messages_are_refused(tmp_path: Path) -> None:
    own = made(tmp_path, HeldChannel(), PlayedRunner())
    with pytest.raises(MessageError, match="no messages of kind"):
        asyncio.run(own.handle(request(kind="format-disk")))
    (tmp_path / FILE).write_bytes(b"{")
    with pytest.raises(ConfigError, match="begin anew"):
        made(tmp_path, HeldChannel(), PlayedRunner())
