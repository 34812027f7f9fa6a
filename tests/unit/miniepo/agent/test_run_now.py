"""How an agent takes, runs and reports what the server wants run now, with a channel and a task runner to look into."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import cast

import msgspec
import pytest

from miniepo.agent.enforcement import Enforcer
from miniepo.agent.folder import Directory
from miniepo.agent.run_now import FILE, RunNow
from miniepo.agent.tasks import Outcome, TaskRunner, Watcher
from miniepo.agent.update import Updater
from miniepo.errors import ConfigError, MessageError
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.messages import ClientTask
from miniepo.protocol.run_now import NO_FINAL_STATUS, PRODUCT, RUN_TASK, RunTask, read_report
from tests.unit.miniepo.standins import CountingEntropy, SetClock, agent_config, state_directory

TASK = ClientTask(id="7", name="Scan", type="scan")


class HeldChannel:
    """A channel whose messages stay in the test's hands, as far as its disk takes them."""

    def __init__(self) -> None:
        self.disk_is_full = False
        self.sent: list[ChannelMessage] = []
        self.handlers: dict[str, Callable[[ChannelMessage], Awaitable[None]]] = {}

    def register(
        self,
        product: str,
        handle: Callable[[ChannelMessage], Awaitable[None]],
        interrupted: Callable[[ChannelMessage], Awaitable[None]] | None = None,
        late: Callable[[ChannelMessage], Awaitable[None]] | None = None,
    ) -> None:
        assert interrupted == handle, "what a kill cut short is taken by its id, as ever"
        assert late == handle, "what comes too late is answered"
        self.handlers[product] = handle

    def send(self, message: ChannelMessage) -> None:
        if self.disk_is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.sent.append(msgspec.json.decode(msgspec.json.encode(message), type=ChannelMessage))

    @property
    def told(self) -> list[str]:
        reports = [read_report(message.payload) for message in self.sent]
        return [f"{report.status} {report.percent}" if report.percent else report.status for report in reports]


class PlayedRunner:
    """A runner that plays one run: some progress, then an end, or none for as long as it is held."""

    def __init__(
        self,
        status: str = "succeeded",
        hold: bool = False,
        busy: bool = False,
        at_the_end: Callable[[], object] = lambda: None,
    ) -> None:
        self.busy = busy
        self._at_the_end = at_the_end
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
        self._at_the_end()
        return Outcome(self._status, "a text")  # type: ignore[arg-type]


def request(
    id: str = "m-1", kind: str = RUN_TASK, task: ClientTask = TASK, expires: float = 60, **more: float
) -> ChannelMessage:
    payload = msgspec.to_builtins(RunTask(task=task, **more))
    return ChannelMessage(
        id=id, product=PRODUCT, kind=kind, correlation="42", payload=payload, expires=SetClock().at + expires
    )


def made(folder: Path, channel: HeldChannel, runner: PlayedRunner | TaskRunner) -> RunNow:
    entropy = CountingEntropy()
    return RunNow(channel, cast(TaskRunner, runner), Directory(folder), SetClock(), entropy, again_seconds=0)


def spoil(folder: Path) -> None:
    """From now on the disk takes no `run-now.json`."""
    (folder / FILE).unlink(missing_ok=True)
    (folder / FILE).mkdir()


def phases(folder: Path) -> list[str]:
    """What the disk says of the requests."""
    return [entry["phase"] for entry in msgspec.json.decode((folder / FILE).read_bytes())]


async def live(
    own: RunNow, done: Callable[[], object], *deliveries: ChannelMessage, then: Callable[[], object] = lambda: None
) -> None:
    """A life of the agent that gets these messages, `then` has this done to it, and is killed when `done`."""
    loop = asyncio.create_task(own.loop())
    await asyncio.sleep(0)
    for message in deliveries:
        await own.handle(message)
    then()
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


def test_a_task_that_the_disk_does_not_let_begin_has_failed_and_the_server_hears_it(tmp_path: Path) -> None:
    channel, runner = HeldChannel(), PlayedRunner()
    own = made(tmp_path, channel, runner)

    def mended() -> bool:
        if (tmp_path / FILE).is_dir() and "failed" in channel.told:
            (tmp_path / FILE).rmdir()
        return (tmp_path / FILE).is_file() and phases(tmp_path) == ["over"]

    asyncio.run(live(own, mended, request(), then=lambda: spoil(tmp_path)))
    assert channel.told == ["received", "failed"] and FILE in read_report(channel.sent[1].payload).text
    asyncio.run(live(made(tmp_path, channel, runner), lambda: True, request()))
    assert channel.told == ["received", "failed"], "it does not run in the next life either"


def test_what_the_disk_does_not_let_be_told_is_told_when_it_does(tmp_path: Path) -> None:
    channel, runner, turns = HeldChannel(), PlayedRunner(), list[str]()
    own = made(tmp_path, channel, runner)

    def mended() -> bool:
        turns.append("a turn")
        channel.disk_is_full = len(turns) < 50
        return "failed" in channel.told and phases(tmp_path) == ["over"]

    asyncio.run(live(own, mended, request(), then=lambda: setattr(channel, "disk_is_full", True)))
    assert channel.told == ["received", "failed"]
    assert os.strerror(errno.ENOSPC) in read_report(channel.sent[1].payload).text
    assert len(runner.runs) == 1, "it is not tried again"


def test_progress_that_the_disk_does_not_keep_ends_no_task(tmp_path: Path) -> None:
    channel = HeldChannel()
    send = channel.send

    def short_of_room(message: ChannelMessage) -> None:
        channel.disk_is_full = read_report(message.payload).percent == 12
        send(message)

    channel.send = short_of_room  # type: ignore[method-assign]
    asyncio.run(live(made(tmp_path, channel, PlayedRunner()), lambda: "succeeded 100" in channel.told, request()))
    assert channel.told == ["received", "started", "progress 15", "progress 40", "progress 100", "succeeded 100"]


def test_an_end_that_the_disk_does_not_keep_is_told_once(tmp_path: Path) -> None:
    channel = HeldChannel()
    own = made(tmp_path, channel, PlayedRunner(at_the_end=lambda: spoil(tmp_path)))
    turns = list[str]()

    def mended() -> bool:
        turns.append("a turn")
        if (tmp_path / FILE).is_dir() and len(turns) > 50:
            (tmp_path / FILE).rmdir()
        return (tmp_path / FILE).is_file() and phases(tmp_path) == ["over"]

    asyncio.run(live(own, mended, request()))
    assert channel.told[-1] == "succeeded 100" and channel.told.count("succeeded 100") == 1


def test_a_request_that_came_after_its_time_is_not_run_and_told(tmp_path: Path) -> None:
    channel, runner = HeldChannel(), PlayedRunner()
    asyncio.run(live(made(tmp_path, channel, runner), lambda: channel.told, request(expires=0)))
    assert channel.told == ["failed"] and runner.runs == []
    assert read_report(channel.sent[0].payload).text == "the request came after its time"


def test_a_scan_that_meets_a_name_that_is_no_utf_8_goes_on_and_can_be_told(tmp_path: Path) -> None:
    scanned = tmp_path / "scanned"
    scanned.mkdir()
    Path(os.fsdecode(os.fsencode(scanned) + b"/caf\xe9.txt")).write_bytes(b"text")
    state = state_directory(tmp_path)
    enforcer = Enforcer(agent_config(tmp_path), state, ())
    updater = cast(Updater, None)
    runner = TaskRunner(state, enforcer, updater, SetClock(), CountingEntropy(), lambda: None)
    channel = HeldChannel()
    task = ClientTask(id="7", name="Scan", type="scan", settings={"folder": str(scanned)})
    own = made(tmp_path, channel, runner)
    asyncio.run(live(own, lambda: "succeeded 100" in channel.told, request(task=task)))
    assert [read_report(message.payload).text for message in channel.sent][2] == f"{scanned}/caf\\xe9.txt"


def test_strange_messages_are_refused(tmp_path: Path) -> None:
    own = made(tmp_path, HeldChannel(), PlayedRunner())
    with pytest.raises(MessageError, match="no messages of kind"):
        asyncio.run(own.handle(request(kind="format-disk")))
    (tmp_path / FILE).write_bytes(b"{")
    with pytest.raises(ConfigError, match="begin anew"):
        made(tmp_path, HeldChannel(), PlayedRunner())
