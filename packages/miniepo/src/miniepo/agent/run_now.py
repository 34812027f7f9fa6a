"""The agent's side of Run Client Task Now: takes requests from the DataChannel, runs each once, reports how it goes.

What the agent knows is in `run-now.json`; nothing is taken that the disk does not keep. Reports go to the channel's
outbox, which is on the disk too, so that none is lost between two lives (domain §6.2).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from miniepo.agent import run_now_ledger as ledger
from miniepo.agent.folder import Folder
from miniepo.agent.run_now_ledger import Command, Entry, Event, Ledger, Save, Schedule, Tell
from miniepo.agent.tasks import Outcome, TaskRunner
from miniepo.clock import Clock, Entropy
from miniepo.errors import ConfigError, MessageError
from miniepo.log import logger
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.run_now import PRODUCT, RUN_TASK, TASK_STATUS, Report, read_run_task

FILE = "run-now.json"
PROGRESS_STEP_PERCENT = 10
"""Progress is told in steps: a message for every file would fill the channel."""
REPORT_SECONDS = 7 * 86_400.0
"""How long a report is worth delivering."""
DISK_AGAIN_SECONDS = 10.0
"""The pause before what the disk did not take is tried again."""
_log = logger("agent.run_now")


class Channel(Protocol):
    """What of the DataChannel is needed here."""

    def register(
        self,
        product: str,
        handle: Callable[[ChannelMessage], Awaitable[None]],
        interrupted: Callable[[ChannelMessage], Awaitable[None]] | None = None,
        late: Callable[[ChannelMessage], Awaitable[None]] | None = None,
    ) -> None: ...

    def send(self, message: ChannelMessage) -> None: ...


class RunNow:
    """Runs what the server wants run at once."""

    def __init__(
        self,
        channel: Channel,
        runner: TaskRunner,
        folder: Folder,
        clock: Clock,
        entropy: Entropy,
        again_seconds: float = DISK_AGAIN_SECONDS,
    ) -> None:
        self._channel = channel
        self._runner = runner
        self._folder = folder
        self._clock = clock
        self._entropy = entropy
        self._again_seconds = again_seconds
        self._ledger = Ledger(self._read())
        self._due: asyncio.Queue[Entry] = asyncio.Queue()
        channel.register(PRODUCT, self.handle, interrupted=self.handle, late=self.handle)

    async def handle(self, message: ChannelMessage) -> None:
        """Take a request, also once more after a kill; it is on the disk when this returns. Raises MessageError.

        One that cannot be kept, or that came after its time, is not run, and the server is told.
        """
        if message.kind != RUN_TASK:
            raise MessageError(f"{PRODUCT} knows no messages of kind {message.kind}")
        request = read_run_task(message.payload)
        delay = self._entropy.uniform(0, request.random_seconds) if request.random_seconds > 0 else 0.0
        try:
            self.happened(ledger.Delivered(message.id, message.correlation, request, message.expires, delay))
        except OSError as error:
            text = f"{FILE}: {error.strerror}"
            self._tell(message.correlation, Report(status="failed", text=text, at=self._clock.now()))

    async def loop(self) -> None:
        """Go on with what an earlier life left, then run what comes, for ever."""
        self.happened(ledger.Awoken())
        async with asyncio.TaskGroup() as runs:
            while True:
                runs.create_task(self._run(await self._due.get()))

    def leave(self) -> bool:
        """Tell the server that nobody will know how the running tasks end (S2), before an end or a restart; whether
        there was anything to tell."""
        return self.happened(ledger.Leaves()) > 0

    def happened(self, event: Event) -> int:
        """Carry out what follows from an event; the number of commands."""
        before = self._ledger.entries
        try:
            commands = self._ledger.receive(event, self._clock.now())
            for command in commands:
                self._carry_out(command)
        except OSError:
            self._ledger = Ledger(before)
            raise
        return len(commands)

    def _carry_out(self, command: Command) -> None:
        match command:
            case Save(entries):
                self._folder.put(FILE, msgspec.json.encode(entries))
            case Schedule(entry):
                self._due.put_nowait(entry)
            case Tell(correlation, report):
                self._tell(correlation, report)

    def _tell(self, correlation: str, report: Report) -> None:
        _log.info("run %s: %s %d %% %s", correlation, report.status, report.percent, report.text)
        message = ChannelMessage(
            id=self._entropy.guid(),
            product=PRODUCT,
            kind=TASK_STATUS,
            correlation=correlation,
            payload=msgspec.to_builtins(report),
            expires=self._clock.now() + REPORT_SECONDS,
        )
        self._channel.send(message)

    async def _run(self, entry: Entry) -> None:
        await asyncio.sleep(max(0.0, entry.not_before - self._clock.now()))
        request, id = entry.request, entry.id
        try:
            if self._runner.busy:
                self.happened(ledger.Waits(id))
            run_id = f"{entry.correlation}.{self._entropy.nonce()}"
            ended = await self._runner.run_watched(request.task, run_id, _Run(self, id), request.stop_seconds)
        except OSError as error:
            _log.error("run %s of %s: %s", entry.correlation, request.task.name, error)
            ended = Outcome("failed", str(error))
        await self._patiently(ledger.Ended(id, ended.status, ended.text))
        await self._patiently(ledger.Settled())

    async def _patiently(self, event: Event) -> None:
        """Carry out what follows from an event as soon as the disk lets it."""
        while True:
            try:
                self.happened(event)
                return
            except OSError as error:
                _log.error("%s; tried again in %g s", error, self._again_seconds)
            await asyncio.sleep(self._again_seconds)

    def _read(self) -> tuple[Entry, ...]:
        try:
            return msgspec.json.decode(self._folder.read(FILE), type=tuple[Entry, ...])
        except FileNotFoundError:
            return ()
        except msgspec.DecodeError as error:
            raise ConfigError(f"{FILE}: {error}; remove the file to begin anew") from error


class _Run:
    """Watches one run for the ledger."""

    def __init__(self, owner: RunNow, id: str) -> None:
        self._owner = owner
        self._id = id
        self._told = 0

    def begins(self) -> None:
        self._owner.happened(ledger.Begins(self._id))

    def progressed(self, percent: int, text: str) -> None:
        if percent < self._told + PROGRESS_STEP_PERCENT:
            return
        try:
            self._owner.happened(ledger.Progressed(self._id, percent, text))
        except OSError as error:  # the task goes on, and tells more later
            _log.error("progress of %d %% could not be told: %s", percent, error)
        else:
            self._told = percent - percent % PROGRESS_STEP_PERCENT
