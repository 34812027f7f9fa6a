"""How agents of a swarm must be woken and run a task now (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epolab.model.node import Node
from epolab.verify.run_now_plan import AT_ONCE_SECONDS, GREEN, Report
from epolab.verify.segment_plan import NOTHING, OWN_ASCI, Told

RANDOM_SECONDS = 9.0
"""Over which time the wake-up lets the agents draw their moments."""
LATE_SECONDS = 15.0
MANY = 16
"""All of so many draws lie within a third of the time in one of a million runs."""
SECONDS_PER_AGENT = 0.2

Broken = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SwarmWoken:
    """A wake-up of agents of a swarm: what the log says by full name, when the order was through (server's clock), and
    the call-ins that wake-ups caused, as (full name, wake-up id, when)."""

    names: tuple[str, ...]
    log: Mapping[str, Told]
    ordered: float
    calls: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, slots=True)
class MemberRun:
    """A task that ran now on one agent of a swarm; `asked` is when the action was made, by the server's clock, and
    `called_in` when the agent called in first after that, if nobody could tell it and it did."""

    name: str
    subtask: Mapping[str, Any]
    reports: tuple[Report, ...]
    asked: float
    called_in: float | None = None

    @property
    def started(self) -> float | None:
        """When the server knew that the task had started."""
        return next((each.received for each in self.reports if each.status == "started"), None)


def start_limit_seconds(agents: int) -> float:
    """Within which time the task has to start on so many agents of one process."""
    return AT_ONCE_SECONDS + SECONDS_PER_AGENT * agents


def wrong_wakeup(node: Node, port: int, seen: SwarmWoken) -> Broken:
    """What is wrong with how agents of a swarm were woken."""
    place = f" at {node.ipv4}:{port} ("
    missed, twice, moments = [], [], []
    for name in seen.names:
        told = seen.log.get(name, NOTHING)
        own = [moment for called, id, moment in seen.calls if (called, id) == (name, told.wakeup_id)]
        if told.state != "Completed" or place not in told.message:
            missed.append(f"{name}: {told.state or 'nothing'}: {told.message}")
        elif len(own) != 1:
            twice.append(f"{name} called in {len(own)} times")
        else:
            moments += own
    broken = [
        (f"{node.path}: each of its agents is woken{place[:-2]}, for no DNS knows its names", missed),
        (f"{node.path}: each of its agents calls in once after its wake-up", twice),
        (f"{node.path}: its agents call in at moments of their own within {RANDOM_SECONDS:g} s", spread(seen, moments)),
    ]
    return [(wanted, f"{node.path}: {_some(found)}") for wanted, found in broken if found]


def spread(seen: SwarmWoken, moments: Sequence[float]) -> list[str]:
    """What is wrong with how call-ins lie in the time that they were to be spread over."""
    if not moments:
        return []
    wrong = []
    first, last = min(moments), max(moments)
    if last > seen.ordered + RANDOM_SECONDS + LATE_SECONDS:
        wrong.append(f"the last call-in came {last - seen.ordered:.1f} s after the order")
    if len(moments) >= MANY and last - first < RANDOM_SECONDS / 3:
        wrong.append(f"{len(moments)} call-ins came within {last - first:.1f} s")
    return wrong


def wrong_calls_in_vain(node: Node, seen: SwarmWoken) -> Broken:
    """What is wrong with a wake-up of agents of a swarm that no handler can call."""
    untold, called = [], []
    for name in seen.names:
        told = seen.log.get(name, NOTHING)
        if told.state != "Failed" or OWN_ASCI not in told.message:
            untold.append(f"{name}: {told.state or 'nothing'}: {told.message}")
        called += [who for who, id, _ in seen.calls if (who, id) == (name, told.wakeup_id)]
    broken = [
        (f"{node.path}: the wake-up of each of its agents is logged as Failed, with the reason: {OWN_ASCI}", untold),
        (f"{node.path}: no wake-up gets to its agents", [f"{name} was woken" for name in called]),
    ]
    return [(wanted, f"{node.path}: {_some(found)}") for wanted, found in broken if found]


def wrong_runs(path: str, runs: Sequence[MemberRun], agents: int, waits_seconds: float = 0.0) -> Broken:
    """What is wrong with a task that ran now on agents of a swarm, which wait so long for a call-in that tells them."""
    limit = start_limit_seconds(agents) + waits_seconds
    colours, reports, late = [], [], []
    for run in runs:
        row, said = run.subtask, [report.status for report in run.reports]
        segments = (row["send"], row["start"], row["progress"])
        started = run.started
        if (segments, row["state"]) != (GREEN, "Completed"):
            colours.append(f"{run.name}: {'/'.join(segments)}, {row['state']}")
        if any(said.count(status) != 1 for status in ("received", "started", "succeeded")):
            reports.append(f"{run.name}: {', '.join(said) or 'nothing'}")
        if started is None or started - run.asked > limit:
            late.append(run.name if started is None else f"{run.name} after {started - run.asked:.1f} s")
    broken = [
        (f"{path}: each of {agents} agents has a subtask", [] if len(runs) == agents else [f"{len(runs)} have"]),
        (f"{path}: Send, Start and Progress of each agent succeed", colours),
        (f"{path}: each agent reports received, started and succeeded once", reports),
        (f"{path}: the task starts on each agent within {limit:g} s", late),
        (
            f"{path}: it starts on no agent before its call-in",
            [run.name for run in runs if waits_seconds and early(run)],
        ),
    ]
    return [(wanted, f"{path}: {_some(found)}") for wanted, found in broken if found]


def early(run: MemberRun) -> bool:
    """Whether the task started before the agent called in: one that was under way at the time counts as after."""
    return run.started is not None and (run.called_in is None or run.started < run.called_in)


def _some(found: Sequence[str]) -> str:
    return "; ".join(found[:3]) + (f"; and {len(found) - 3} more" if len(found) > 3 else "")
