"""What is wrong about Run Client Task Now in hard times (pure): the limit, an agent's end, a server's lost memory.

An action has as many systems as `clienttask.runnow.system.limit` says, and is refused beyond; an agent that ends sends
`TASK_NO_FINAL_STATUS` before, so that the subtask is closed as unknown; what a server holds in memory is lost when it
stops, and its subtasks stay unfinished (domain §6.2, source S2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from epolab.model import facts
from epolab.model.topology import Topology
from epolab.verify.run_now_plan import expected_way

PROPERTY = "clienttask.runnow.system.limit"
LIMIT = 999
MEMORY_LOST = "its memory is lost"
NO_FINAL_STATUS = "TASK_NO_FINAL_STATUS"
AFTER_RESTART = "after a restart of the service: unknown"

RUNS = ("In Progress", "Success", "Success", "Progress")
CLOSED = ("Ended", "Success", "Success", "Progress")
"""The state and the three segments of a task that runs, and of one of which nobody knows how it ended."""

Broken = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An action for one system too many: how many there were, the reply, and what the log and the queue have of it."""

    systems: int
    reply: str
    entries: int
    queued: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A revision of the live view of an action with one system: what it showed of state, Send, Start and Progress."""

    revision: int
    segments: tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class CutOff:
    """A task whose agent was ended: the subtask while the agent was down, the log's messages and the agent's reports,
    how often the agent began the task, by its own log, when it lived again, and the live view while the task ran and
    what it showed to who watched it in the end, if anything in time."""

    log_id: int
    row: Mapping[str, Any]
    messages: tuple[str, ...]
    reports: tuple[str, ...]
    starts: int
    running: Shown
    ended: Shown | None


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A task during which the server was killed: the log's messages, the entry's state and the subtask when the server
    was back, whether the live view was still there, and the subtask and messages after the agent's end."""

    log_id: int
    messages: tuple[str, ...]
    state: str
    left: Mapping[str, Any]
    watched: bool
    row: Mapping[str, Any]
    last_messages: tuple[str, ...]


def cut_agents(topology: Topology) -> tuple[str, ...]:
    """The agent (node path) that is ended in the middle of a task: a plain one that runs tasks at once; only where
    handler groups are declared, because it disturbs, and the server is killed then."""
    if not topology.management.handler_groups:
        return ()
    lone = [node for node in facts.agents(topology) if node.components == ("agent",) and node.kind == "container"]
    return tuple(node.path for node in lone if expected_way(topology, node) == "at once")[:1]


def wrong_limit(path: str, seen: Refusal) -> Broken:
    """What is wrong about an action for more systems than the limit."""
    limit = seen.systems - 1
    wanted = (
        f"{path}: {seen.systems} systems in one action are refused where {PROPERTY} = {limit}, and nothing is queued"
    )
    if f"{PROPERTY} = {limit} in " in seen.reply and not seen.entries and not seen.queued:
        return []
    kept = f"the log has {seen.entries} entries of it, the queue {seen.queued} rows"
    return [(wanted, f"{path}: it answered {seen.reply[:300]!r}; {kept}")]


def wrong_end(path: str, seen: CutOff) -> Broken:
    """What is wrong about a task whose agent was ended."""
    broken = []
    state, told = seen.row["state"], "; ".join(seen.messages)
    if state != "Ended" or not any(line.startswith("unknown: ") for line in seen.messages):
        wanted = f"{path}: subtask {seen.log_id} is closed as Ended, unknown, before the agent has ended"
        broken.append((wanted, f"{path}: it is {state}; {told}"))
    if seen.reports[-1:] != (NO_FINAL_STATUS,):
        wanted = f"{path}: the last that it reports about {seen.log_id} is {NO_FINAL_STATUS}"
        broken.append((wanted, f"{path}: it reported {', '.join(seen.reports) or 'nothing'}"))
    if seen.starts != 1:
        wanted = f"{path}: does not begin {seen.log_id} again in its next life"
        broken.append((wanted, f"{path}: its log tells of {seen.starts} starts"))
    return broken + _wrong_live(path, seen)


def _wrong_live(path: str, seen: CutOff) -> Broken:
    """What is wrong about the live view; of an end that was not reported nothing can be shown."""
    broken, running, ended = [], seen.running, seen.ended
    if running.segments != RUNS:
        wanted = f"{path}: while {seen.log_id} runs the live view shows {'/'.join(RUNS)}"
        broken.append((wanted, f"{path}: it shows {'/'.join(running.segments)}"))
    if seen.row["state"] == "Ended" and (
        ended is None or ended.segments != CLOSED or ended.revision <= running.revision
    ):
        wanted = f"{path}: who watches {seen.log_id} is shown {'/'.join(CLOSED)} at once, as a newer revision"
        told = f"{'/'.join(ended.segments)}, revision {ended.revision} after {running.revision}" if ended else "nothing"
        broken.append((wanted, f"{path}: it showed {told}"))
    return broken


def wrong_memory(server: str, seen: Forgotten) -> Broken:
    """What is wrong about a task during which the server was killed."""
    broken = []
    if not any(MEMORY_LOST in line for line in seen.messages) or seen.state != "Ended":
        wanted = f"{server}: entry {seen.log_id} says that the service stopped and {MEMORY_LOST}, and is Ended"
        broken.append((wanted, f"{server}: it is {seen.state}: {'; '.join(seen.messages)}"))
    if seen.left["endDate"] is not None or seen.watched:
        wanted = f"{server}: nobody follows {seen.log_id} any more, and its subtask stays unfinished"
        view = "there" if seen.watched else "gone"
        broken.append((wanted, f"{server}: the subtask is {seen.left['state']}, the live view is {view}"))
    if seen.row["state"] != "Ended" or not any(line.startswith(AFTER_RESTART) for line in seen.last_messages):
        wanted = f"{server}: an end that is reported later still closes the subtask of {seen.log_id}"
        broken.append((wanted, f"{server}: it is {seen.row['state']}: {'; '.join(seen.last_messages)}"))
    return broken
