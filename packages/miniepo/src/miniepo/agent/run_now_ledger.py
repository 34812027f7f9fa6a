"""What an agent remembers of the tasks that it was told to run now, so that each runs once, whatever happens to it.

A request is kept before it counts as taken, and marked as begun before it begins: one that is delivered twice is known,
one that a kill cut off is reported as ended without a final status, never run again (domain §6.2, source S2). What is
over is forgotten when the request's time is over, for a request that comes later than that is not run at all. Events
in, commands out; no clock, no files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import msgspec

from miniepo.protocol.run_now import NO_FINAL_STATUS, Report, RunTask, Status

KEPT_AFTER_SECONDS = 3600.0


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `id` is the message's, unique for ever; `not_before` and `expires` in seconds since the epoch."""

    id: str
    correlation: str
    request: RunTask
    expires: float
    not_before: float = 0
    phase: Literal["accepted", "begun", "over"] = "accepted"
    percent: int = 0


# --- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Awoken:
    """The agent has come to life; what it had begun before was cut off."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A request came; `delay_seconds` is what was drawn at random for it."""

    id: str
    correlation: str
    request: RunTask
    expires: float
    delay_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Waits:
    """Another task runs first."""

    id: str


@dataclass(frozen=True, slots=True)
class Begins:
    """The task is about to run."""

    id: str


@dataclass(frozen=True, slots=True)
class Progressed:
    """The task has come so far."""

    id: str
    percent: int
    text: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """The task is over, or it could not begin."""

    id: str
    status: Literal["succeeded", "failed", "stopped"]
    text: str


@dataclass(frozen=True, slots=True)
class Settled:
    """That tasks are over has been told."""


@dataclass(frozen=True, slots=True)
class Leaves:
    """The agent is about to end or to restart."""


Event = Awoken | Delivered | Waits | Begins | Progressed | Ended | Settled | Leaves

# --- commands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Save:
    """Put these entries on the disk before anything else."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Schedule:
    """Run this at its time."""

    entry: Entry


@dataclass(frozen=True, slots=True)
class Tell:
    """Send a report to the server."""

    correlation: str
    report: Report


Command = Save | Schedule | Tell


class Ledger:
    """Every request of which the agent knows."""

    def __init__(self, entries: tuple[Entry, ...] = ()) -> None:
        self._entries = {entry.id: entry for entry in entries}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What it knows, in the order in which it came."""
        return tuple(self._entries.values())

    def receive(self, event: Event, now: float) -> list[Command]:
        """What to do about an event, in this order."""
        match event:
            case Delivered():
                return self._delivered(event, now)
            case Awoken():
                return self._awoken(now)
            case Leaves():
                return self._cut_off("the agent ends before the task does", now)
            case Waits(id):
                return [self._tell(self._entries[id], "waiting", now, "another task runs first")]
            case Begins(id):
                begun = self._change(id, phase="begun")
                return [self._save(now), self._tell(begun, "started", now)]
            case Progressed(id, percent, text):
                return self._progressed(self._entries[id], percent, text, now)
            case Ended(id, status, text):
                return self._ended(self._entries[id], status, text, now)
            case Settled():
                return [self._save(now)]

    def _delivered(self, event: Delivered, now: float) -> list[Command]:
        if event.id in self._entries:
            return []
        entry = Entry(
            id=event.id,
            correlation=event.correlation,
            request=event.request,
            expires=event.expires,
            not_before=now + event.delay_seconds,
        )
        if event.expires <= now:
            return [self._tell(entry, "failed", now, "the request came after its time")]
        self._entries[event.id] = entry
        return [self._save(now), self._tell(entry, "received", now), Schedule(entry)]

    def _awoken(self, now: float) -> list[Command]:
        commands = self._cut_off("the agent was stopped while the task ran", now)
        waiting = [entry for entry in self._entries.values() if entry.phase == "accepted"]
        return [*commands, *(Schedule(entry) for entry in waiting)]

    def _cut_off(self, text: str, now: float) -> list[Command]:
        """Reports first: a kill in between leads to a second report, which counts for nothing, not to none."""
        begun = [entry for entry in self._entries.values() if entry.phase == "begun"]
        if not begun:
            return []
        for entry in begun:
            self._change(entry.id, phase="over")
        return [*(self._tell(entry, NO_FINAL_STATUS, now, text) for entry in begun), self._save(now)]

    def _progressed(self, entry: Entry, percent: int, text: str, now: float) -> list[Command]:
        if entry.phase != "begun" or percent <= entry.percent:
            return []
        self._change(entry.id, percent=percent)
        return [self._tell(self._entries[entry.id], "progress", now, text)]

    def _ended(self, entry: Entry, status: Status, text: str, now: float) -> list[Command]:
        """The report first, and the save in a step of its own: the disk may take the one and not the other. What could
        not begin and was not saved as over when the agent is killed begins, for the first time, in its next life."""
        if entry.phase == "over":
            return []
        self._change(entry.id, phase="over")
        return [self._tell(entry, status, now, text)]

    def _change(self, id: str, **values: object) -> Entry:
        changed = msgspec.structs.replace(self._entries[id], **values)
        self._entries[id] = changed
        return changed

    def _save(self, now: float) -> Save:
        forgotten = [
            entry.id
            for entry in self._entries.values()
            if entry.phase == "over" and entry.expires + KEPT_AFTER_SECONDS < now
        ]
        for id in forgotten:
            del self._entries[id]
        return Save(self.entries)

    def _tell(self, entry: Entry, status: Status, now: float, text: str = "") -> Tell:
        return Tell(entry.correlation, Report(status=status, percent=entry.percent, text=text[:500], at=now))
