"""Agents of a swarm woken up, and running a task now: each is called by its address, for its names are in no DNS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from epolab.errors import TimeoutExceededError, WorldError
from epolab.hands.until import until
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.agents import port_of
from epolab.verify.callins import server_time
from epolab.verify.listeners import listening
from epolab.verify.run_now import PAUSE_SECONDS, PRODUCT, reports_of, scan_task
from epolab.verify.run_now_plan import SESSION_SECONDS
from epolab.verify.swarm_orders_plan import LATE_SECONDS, RANDOM_SECONDS, MemberRun, SwarmWoken, start_limit_seconds
from epolab.verify.wake_orders import order
from epolab.verify.witness import Witness

CALLED_AT_MOST = 100
"""So many agents of a swarm are called; an action of run-now has 999 systems at most."""
PATIENT_MINUTES = "1"


def called(node: Node) -> tuple[str, ...]:
    """The full names of a swarm's agents that are called."""
    return facts.swarm_members(node)[:CALLED_AT_MOST]


def wake_swarm(witness: Witness, path: str) -> SwarmWoken:
    """Wake agents of a swarm directly, each at a moment of its own."""
    node = witness.topology.node(path)
    names, since = called(node), server_time(witness)
    if not facts.wakers(witness.topology, node):
        _, log = order(witness, names, {})
        return SwarmWoken(names, log, server_time(witness), tuple(_woken(witness, since)))
    words = {"randomMinutes": f"{RANDOM_SECONDS / 60:.6f}", "abortAfterMinutes": PATIENT_MINUTES}
    _, log = order(witness, names, words)
    ordered = server_time(witness)
    calls: list[tuple[str, str, float]] = []

    def all_called() -> bool:
        calls[:] = _woken(witness, since)
        ids = {wakeup_id for _, wakeup_id, _ in calls}
        return all(told.wakeup_id in ids for told in log.values())

    limit = RANDOM_SECONDS + LATE_SECONDS
    with suppress(TimeoutExceededError):  # who is missing is told
        until(all_called, what=f"all of {path} call in", limit_seconds=limit, pause_seconds=PAUSE_SECONDS)
    return SwarmWoken(names, log, ordered, tuple(calls))


def _woken(witness: Witness, since: float) -> list[tuple[str, str, float]]:
    rows = witness.api("miniepo.listCallins", since=str(since))
    return [(row["fqdn"], row["wakeup_id"], row["received"]) for row in rows if row["reason"] == "wakeup"]


def waits_seconds(topology: Topology, node: Node) -> float:
    """How long a swarm's agents may wait for what nobody can tell them: until each has called in at its interval."""
    return 0.0 if facts.wakers(topology, node) else node.asci_seconds + LATE_SECONDS


def run_on_swarm(witness: Witness, path: str) -> list[MemberRun]:
    """Run a small scan now on agents of a swarm, in one action."""
    node = witness.topology.node(path)
    names, waits = called(node), waits_seconds(witness.topology, node)
    with scan_task(witness) as (task_id, name):
        asked = server_time(witness)
        reply = witness.api("clienttask.run", names=",".join(names), productId=PRODUCT, taskId=task_id)
        if reply != "Succeeded":
            raise WorldError(f"clienttask.run answered {reply!r}")
        number = str(max(int(view["taskLogId"]) for view in witness.api("miniepo.listRunNow") if view["task"] == name))
        rows = _ended(witness, number, start_limit_seconds(len(names)) + waits + LATE_SECONDS)
    answers = witness.api("miniepo.listChannelAnswers", correlation=number)
    calls = _first_calls(witness, names, asked - SESSION_SECONDS) if waits else {}
    return [
        MemberRun(name, row, reports_of(answers, row["agentGuid"]), asked, calls.get(name))
        for name, row in [(str(row["computerName"]), row) for row in rows]
    ]


def _first_calls(witness: Witness, names: Sequence[str], since: float) -> dict[str, float]:
    """When each of these systems (full names) first called in after a time, by computer name."""
    rows = witness.api("miniepo.listCallins", since=str(since))
    last_first = sorted((row for row in rows if row["fqdn"] in names), key=lambda row: -row["received"])
    return {row["fqdn"].partition(".")[0]: row["received"] for row in last_first}


def _ended(witness: Witness, log_id: str, limit_seconds: float) -> Sequence[Mapping[str, Any]]:
    """The subtasks of an action when all have ended, or it takes too long."""
    rows: list[Mapping[str, Any]] = []

    def all_over() -> bool:
        rows[:] = witness.api("tasklog.listSubtasks", taskLogId=log_id)
        return all(row["endDate"] for row in rows)

    with suppress(TimeoutExceededError):  # what is not over is told agent by agent
        until(all_over, what=f"all of {log_id} end", limit_seconds=limit_seconds, pause_seconds=PAUSE_SECONDS)
    return rows


def port_troubles(witness: Witness, path: str) -> list[tuple[str, str]]:
    """What is wrong with who listens on a swarm's one port, as (expected, observed)."""
    port = port_of(witness.topology, witness.topology.node(path))
    sockets = listening(witness, path, port, "mfeagent")
    owners = {(each.user, each.process) for each in sockets}
    families = sorted(each.family for each in sockets)
    if owners == {("mfeagent", "miniepo-swarm")} and families == [4, 6]:
        return []
    seen = "; ".join(each.text for each in sockets) or "nobody"
    return [(f"{path}: miniepo-swarm, run by mfeagent, listens on {port}/tcp in IPv4 and IPv6", f"{path}: {seen}")]
