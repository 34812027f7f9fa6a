"""One Run Client Task Now in the server's memory: its systems' segments as the live view shows them (domain §6.2)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from miniepo.patience import within
from miniepo.protocol.run_now import Segments, State, outcome
from miniepo.store.subtasks import Subtask

GRACE_SECONDS = 60.0
"""How long after the request's time the first report may come: it may be fetched in the last moment."""


@dataclass(slots=True)
class Follow:
    """One system of an action, last `heard` of at a monotonic time; `lock` keeps its events in order."""

    subtask_id: int
    guid: str | None
    system_id: int | None
    name: str
    heard: float
    segments: Segments = field(default_factory=Segments)
    message: str = ""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Action:
    """What the server remembers of an action until the end of its life.

    `lock` is held by whoever queues it, cancels it or looks after it. Without a `batch` it was not queued, and `failed`
    says why; `cancelled` is the user who ended it. `logged_end`: its entry in the Server Task Log is closed. It begins
    `now`, its request waits for so many `minutes`, and who has it may be silent for `quiet_seconds`; whether systems
    were deleted is looked up at `next_census`.
    """

    def __init__(
        self,
        log_id: int,
        task: str,
        subtasks: Iterable[Subtask],
        minutes: float,
        quiet_seconds: float,
        now: float,
    ) -> None:
        self.log_id = log_id
        self.task = task
        self.minutes = minutes
        self.quiet_seconds = quiet_seconds
        self.next_census = now
        self.batch = ""
        self.revision = 0
        self.view_open = True
        self.failed = "it could not be queued"
        self.cancelled = ""
        self.logging_end = False
        self.logged_end = False
        self.lock = asyncio.Lock()
        self.follows = {each.id: Follow(each.id, each.guid, each.system_id, each.name, now) for each in subtasks}
        self._by_guid = {each.guid: each for each in self.follows.values() if each.guid}
        self._open = len(self.follows)
        self._changed = asyncio.Event()

    def of_agent(self, guid: str) -> Follow | None:
        """The system with this agent."""
        return self._by_guid.get(guid)

    def now_has(self, system_id: int, guid: str) -> Follow | None:
        """The system with this number, whose agent has another GUID than when it was asked."""
        found = next((each for each in self.follows.values() if each.system_id == system_id), None)
        if found is not None:
            self._by_guid[guid] = found
        return found

    def sent(self) -> list[Follow]:
        """The open systems whose agents have said that they have the request."""
        return [each for each in self.follows.values() if each.segments.send == "Success" and not each.segments.closed]

    def patience_seconds(self, follow: Follow) -> float:
        """How long an agent that has the request may say nothing: from the action's begin, or from its last report."""
        return self.minutes * 60 + GRACE_SECONDS if follow.segments.send == "Progress" else self.quiet_seconds

    def unsent(self) -> list[Follow]:
        """The systems whose request nobody has fetched yet."""
        return [each for each in self.follows.values() if each.segments.send == "Progress" and not each.segments.closed]

    def take(self, follow: Follow, segments: Segments, message: str) -> None:
        """Show a change."""
        self._open -= segments.closed and not follow.segments.closed
        follow.segments, follow.message = segments, message or follow.message
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def outcome(self) -> State | None:
        """The state of the whole, None while a system is open."""
        return None if self._open else outcome(each.segments.state for each in self.follows.values())

    async def changed(self, revision: int, seconds: float) -> None:
        """Return when something is newer than a revision, or after a while."""
        if self.revision <= revision and self._open:
            try:
                await within(self._changed.wait(), seconds)
            except TimeoutError:
                return

    def view(self) -> dict[str, Any]:
        """What the live view shows; `batch` is the request's in the DataChannel's queue."""
        return {
            "taskLogId": self.log_id,
            "task": self.task,
            "state": self.outcome() or "In Progress",
            "revision": self.revision,
            "batch": self.batch,
            "subtasks": [row_of(each) for each in self.follows.values()],
        }


def row_of(follow: Follow) -> dict[str, Any]:
    """One system in the live view."""
    segments = follow.segments
    return {
        "computerName": follow.name,
        "agentGuid": follow.guid,
        "systemId": follow.system_id,
        "state": segments.state,
        "send": segments.send,
        "start": segments.start,
        "progress": segments.progress,
        "percent": segments.percent,
        "message": follow.message,
    }
