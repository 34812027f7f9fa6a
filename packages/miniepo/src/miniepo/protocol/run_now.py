"""What server and agent say about a client task that is run now, and how far one system has got with it.

Request and reports travel on the DataChannel: the request needs no wake-up, and a system that the server cannot reach
fetches it at its next call-in (domain §6.2, source S2). CorrelationId is the AutoId of the Server Task Log's entry, the
agent's GUID names the subtask. Each subtask has three segments, Send, Start and Progress, each of them in progress
(grey), succeeded (green) or failed (red). Events in, a change out; no clock, no database.

The list of the back end's status codes was an image in the source and is lost [uncertain]: the words of `Status` are
this project's, but for `TASK_NO_FINAL_STATUS`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

import msgspec

from miniepo.errors import MessageError
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.messages import ClientTask

PRODUCT = "EPOAGENTMETA"
RUN_TASK, TASK_STATUS = "run-task", "task-status"
NO_FINAL_STATUS: Literal["TASK_NO_FINAL_STATUS"] = "TASK_NO_FINAL_STATUS"

Status = Literal["received", "waiting", "started", "progress", "succeeded", "failed", "stopped", "TASK_NO_FINAL_STATUS"]
FINAL = frozenset({"succeeded", "failed", "stopped", NO_FINAL_STATUS})
Payload = TypeVar("Payload", bound=msgspec.Struct)


class RunTask(msgspec.Struct, frozen=True, kw_only=True):
    """Server → agent, kind `run-task`: run this task once, at a random moment within `random_seconds`, and stop it
    after `stop_seconds` (0 = never)."""

    task: ClientTask
    random_seconds: float = 0
    stop_seconds: float = 0


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Agent → server, kind `task-status`.

    `waiting`: another task runs first. `TASK_NO_FINAL_STATUS`: the agent is about to leave, or was killed, and nobody
    will know how the task ended (S2).
    """

    status: Status
    percent: int = 0
    text: str = ""
    at: float = 0


def read_run_task(payload: dict[str, Any]) -> RunTask:
    """The request in a message's payload; raises MessageError."""
    return _read(payload, RunTask)


def read_report(payload: dict[str, Any]) -> Report:
    """The report in a message's payload; raises MessageError."""
    return _read(payload, Report)


def read_message(message: ChannelMessage) -> tuple[int, Report]:
    """The CorrelationId and the report of an agent's message; raises MessageError."""
    if message.kind != TASK_STATUS or not (message.correlation.isascii() and message.correlation.isdigit()):
        raise MessageError(f"{PRODUCT} knows no messages of kind {message.kind} about {message.correlation!r}")
    return int(message.correlation[:18]), read_report(message.payload)


def _read(payload: dict[str, Any], kind: type[Payload]) -> Payload:
    try:
        return msgspec.convert(payload, kind)
    except msgspec.ValidationError as error:
        raise MessageError(f"no {kind.__name__} of Run Client Task Now: {error}") from error


# --- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refused:
    """The system cannot run tasks now: too old, or without an agent."""

    reason: str


@dataclass(frozen=True, slots=True)
class Expired:
    """The time in which the request could be fetched is over."""

    minutes: float


@dataclass(frozen=True, slots=True)
class Lost:
    """The agent has the request, and nobody will know how the task ended: it tells no more, or its system is gone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reported:
    """The agent says how it goes."""

    report: Report


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The server's service stopped: what it held in memory about the action is lost (S2)."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A user ended the action (domain §6.4: Ended is what ended before finishing)."""

    user: str


Event = Refused | Expired | Lost | Reported | Interrupted | Cancelled

# --- segments --------------------------------------------------------------------------------------------------------

Segment = Literal["Progress", "Success", "Failure"]
State = Literal["Waiting", "In Progress", "Stopped", "Failed", "Completed", "Ended"]
"""Those of the eight words of domain §6.4 that a subtask of this action can have."""

CLOSED: frozenset[str] = frozenset({"Stopped", "Failed", "Completed", "Ended"})
_WORST_FIRST: tuple[State, ...] = ("Failed", "Ended", "Stopped", "Completed")


@dataclass(frozen=True, slots=True)
class Segments:
    """How far one system has got."""

    state: State = "In Progress"
    send: Segment = "Progress"
    start: Segment = "Progress"
    progress: Segment = "Progress"
    percent: int = 0

    @property
    def closed(self) -> bool:
        """Whether the subtask has ended, well or not."""
        return self.state in CLOSED


@dataclass(frozen=True, slots=True)
class Change:
    """The segments after an event, and the line about it in the Server Task Log ("" = nothing to tell)."""

    segments: Segments
    message: str = ""


def receive(segments: Segments, event: Event) -> Change:
    """What an event makes of a subtask. A closed one stays as it is; what still comes is told in the log."""
    match event:
        case Interrupted():
            return Change(segments, "" if segments.closed else "unfinished: the service stopped, its memory is lost")
        case Reported(report) if segments.closed:
            return Change(segments, f"after the end: {_told(report)}" if report.status in FINAL else "")
        case Reported(report):
            return _reported(segments, report)
        case Refused(reason) if not segments.closed:
            return Change(_failed(segments), f"refused: {reason}")
        case Expired(minutes) if not segments.closed and segments.send == "Progress":
            return Change(_failed(segments), f"expired: not fetched within {minutes:g} minutes")
        case Lost(reason) if not segments.closed:
            return Change(replace(segments, state="Ended", send="Success"), f"unknown: {reason}")
        case Cancelled(user) if not segments.closed:
            rest = "" if segments.send == "Progress" else "; the agent has the request, and goes on"
            return Change(replace(segments, state="Ended"), f"cancelled by {user}{rest}")
    return Change(segments)


def changes_by(segments: Segments, events: Iterable[Event]) -> list[Change]:
    """What each of some events makes of a subtask, one after the other; those that make nothing are left out."""
    changes = []
    for event in events:
        change = receive(segments, event)
        if change != Change(segments):
            changes.append(change)
            segments = change.segments
    return changes


def _reported(segments: Segments, report: Report) -> Change:
    reached = replace(segments, send="Success")
    match report.status:
        case "received":
            return Change(reached, "" if segments.send == "Success" else "sent")
        case "waiting":
            return Change(replace(reached, state="Waiting"), _told(report))
        case "started" | "progress":
            return _running(segments, report)
        case "succeeded":
            return Change(Segments("Completed", "Success", "Success", "Success", 100), _told(report))
        case "failed":
            return Change(_failed(reached), _told(report))
        case "stopped":
            return Change(replace(_failed(reached), state="Stopped"), _told(report))
        case _:
            return Change(replace(reached, state="Ended"), f"unknown: {_told(report)}")


def _running(segments: Segments, report: Report) -> Change:
    percent = max(segments.percent, min(100, max(0, report.percent)))
    after = replace(segments, state="In Progress", send="Success", start="Success", percent=percent)
    return Change(after, "" if after == segments else _told(report))


def _failed(segments: Segments) -> Segments:
    """The first segment that had not succeeded fails, and with it what would have come after."""
    return replace(
        segments,
        state="Failed",
        send=segments.send if segments.send == "Success" else "Failure",
        start=segments.start if segments.start == "Success" else "Failure",
        progress="Failure",
    )


def _told(report: Report) -> str:
    word = f"progress {report.percent} %" if report.status == "progress" else report.status
    return f"{word}: {report.text}" if report.text else word


def outcome(states: Iterable[str]) -> State | None:
    """The state of the whole entry: None while a subtask is open, else the worst of its subtasks."""
    seen = set(states)
    if seen - CLOSED:
        return None
    return next((state for state in _WORST_FIRST if state in seen), "Completed")
