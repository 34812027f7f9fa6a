"""When a task that is run now should start on an agent, and what is wrong about a run that was observed (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.ways import ways

SINCE = (4, 6)
AT_ONCE_SECONDS = 5.0
"""How soon a task starts on an agent that its handler can tell: the handler looks in the queue every second."""
SESSION_SECONDS = 0.7
"""How long a call-in may last: only at its end the agent looks whether anything waits for it."""

Way = Literal["at once", "after a call-in", "either", "refused"]
GREEN = ("Success", "Success", "Success")
RED = ("Failure", "Failure", "Failure")
SHOWN = ("send", "start", "progress", "state", "percent")
"""What the live view shows of a subtask, and the log keeps."""


@dataclass(frozen=True, slots=True)
class Report:
    """What an agent said, and when the server got it (seconds since the epoch, by the server's clock)."""

    status: str
    percent: int
    received: float


@dataclass(frozen=True, slots=True)
class Run:
    """One action as one agent saw it: asked at a time of the server's clock, `ran` counts runs in the agent's log,
    `view` is what the live view shows of it at last."""

    log_id: int
    asked: float
    subtask: Mapping[str, Any] | None = None
    messages: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    callins: tuple[float, ...] = ()
    ran: int = 0
    view: Mapping[str, Any] | None = None

    @property
    def started(self) -> float | None:
        """When the server knew that the task had started."""
        return next((each.received for each in self.reports if each.status == "started"), None)

    def callins_before_start(self) -> list[float]:
        """The call-ins that may have brought the request: under way when it was made, or between it and the start."""
        started = self.started if self.started is not None else float("inf")
        return [moment for moment in self.callins if self.asked - SESSION_SECONDS <= moment <= started]


@dataclass(slots=True)
class Runs:
    """All actions of one agent, the first one and those that were needed to be sure."""

    runs: list[Run] = field(default_factory=list)

    @property
    def first(self) -> Run:
        return self.runs[0]

    @property
    def clear(self) -> bool:
        """Whether one of them started without any call-in that could have brought it."""
        return any(run.started is not None and not run.callins_before_start() for run in self.runs)


def expected_way(topology: Topology, node: Node) -> Way:
    """When a task should start: it depends on who can open a connection to the agent, and on its version (S2)."""
    if version_of(node) < SINCE:
        return "refused"
    callers = {handler.path for handler in facts.wakers(topology, node)}
    own = {way.handler for way in ways(topology, node)} if not facts.needs_relay(topology, node) else set()
    if not callers:
        return "after a call-in"
    return "at once" if own and own <= callers else "either"


def version_of(node: Node) -> tuple[int, ...]:
    """The agent's version as numbers."""
    return tuple(int(part) for part in node.version.split(".") if part.isdigit())


def wrong_segments(path: str, run: Run) -> list[tuple[str, str]]:
    """What is wrong about an agent's subtask, as (expected, observed)."""
    wanted = f"{path}: Send, Start and Progress of subtask {run.log_id} succeed, and it is Completed"
    row = run.subtask
    if row is None:
        return [(wanted, f"{path}: it has no subtask")]
    seen = (row["send"], row["start"], row["progress"])
    told = f"{path}: {'/'.join(seen)}, {row['state']}, {row['percent']} %; {'; '.join(run.messages) or 'no message'}"
    return [] if (seen, row["state"], row["percent"]) == (GREEN, "Completed", 100) else [(wanted, told)]


def wrong_view(path: str, run: Run) -> list[tuple[str, str]]:
    """What is wrong about an agent's segments in the live view, once its subtask has ended."""
    row = run.subtask
    if row is None or not row["endDate"]:
        return []
    kept, shown = (tuple(each[name] for name in SHOWN) if each else None for each in (row, run.view))
    wanted = f"{path}: the live view of {run.log_id} shows what the log keeps: {kept}"
    return [] if shown == kept else [(wanted, f"{path}: it shows {shown or 'nothing'}")]


def wrong_reports(path: str, run: Run) -> list[tuple[str, str]]:
    """What is wrong about what came up under the CorrelationId."""
    said = [report.status for report in run.reports]
    wanted = f"{path}: under CorrelationId {run.log_id} it reports received, started, progress, succeeded, once each"
    once = all(said.count(status) == 1 for status in ("received", "started", "succeeded"))
    kept = once and "progress" in said and said[-1] == "succeeded"
    return [] if kept else [(wanted, f"{path}: it reported {', '.join(said) or 'nothing'}")]


def wrong_refusal(path: str, run: Run) -> list[tuple[str, str]]:
    """What is wrong about an agent that is too old."""
    wanted = f"{path}: is refused in its subtask as older than 4.6, and all three segments fail"
    row = run.subtask
    seen = (row["state"], row["send"], row["start"], row["progress"]) if row else ("no subtask",)
    refused = seen == ("Failed", *RED) and any("older than 4.6" in text for text in run.messages)
    told = f"{path}: {'/'.join(seen)}; {'; '.join(run.messages) or 'no message'}"
    return [] if refused and not run.reports else [(wanted, told)]


def wrong_start(path: str, way: Way, runs: Runs) -> list[tuple[str, str]]:
    """What is wrong about when the task started."""
    if way == "after a call-in":
        wanted = f"{path}: nobody can tell it, so the task starts after its next call-in and not before"
        early = [run for run in runs.runs if run.started is not None and not run.callins_before_start()]
        if runs.first.started is None:
            return [(wanted, f"{path}: it never started")]
        return [(wanted, f"{path}: it started without a call-in")] if early else []
    if way != "at once":
        return []
    wanted = f"{path}: its handler tells it, so the task starts within {AT_ONCE_SECONDS:g} s, without a call-in"
    waits = [run.started - run.asked for run in runs.runs if run.started is not None]
    if not waits:
        return [(wanted, f"{path}: it never started")]
    told = f"{path}: it started after {min(waits):.1f} s"
    if min(waits) > AT_ONCE_SECONDS:
        return [(wanted, told)]
    return [] if runs.clear else [(wanted, f"{told}, each of {len(runs.runs)} times not before a call-in")]


def wrong_pace(path: str, run: Run) -> list[tuple[str, str]]:
    """What is wrong about when a subtask ended: its own agent ends it and no other, however late those may answer."""
    said = next((each.received for each in run.reports if each.status == "succeeded"), None)
    row = run.subtask
    if said is None or row is None or (row["endDate"] and ended_at(row) <= said):
        return []
    wanted = f"{path}: its subtask of {run.log_id} ends with its own last report, and waits for nobody"
    late = f"{ended_at(row) - said:.1f} s later" if row["endDate"] else "not at all"
    return [(wanted, f"{path}: it ended {late}")]


def wrong_entry(path: str, entry: Mapping[str, Any], subtasks: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What is wrong about when an entry of the log ended: with the last of its subtasks."""
    left = [row["computerName"] for row in subtasks if not row["endDate"]]
    last = max((ended_at(row) for row in subtasks if row["endDate"]), default=0.0)
    early = 0.0 if entry["endDate"] is None else last - ended_at(entry)
    if bool(left) == (entry["endDate"] is None) and early <= 0:
        return []
    wanted = f"{path}: entry {entry['id']} is In Progress until the last of its {len(subtasks)} subtasks has ended"
    told = f"{early:.0f} s before, open are {', '.join(left) or 'none'}" if entry["endDate"] else "all have ended"
    return [(wanted, f"{path}: it is {entry['state']}, {told}")]


def ended_at(row: Mapping[str, Any]) -> float:
    """When a row of the log ended, in whole seconds since the epoch by the server's clock."""
    return datetime.fromisoformat(row["endDate"]).timestamp()


def wrong_count(path: str, runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Tasks that an agent did not run exactly once, by its own log."""
    return [
        (f"{path}: its log tells of one run of {run.log_id}", f"{path}: it tells of {run.ran}")
        for run in runs
        if run.ran != 1
    ]
