"""Running a task now on all agents of a lab at once, and what becomes of it, at the server and on the nodes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from epolab.errors import TimeoutExceededError, WorldError
from epolab.hands.journal import Undo
from epolab.hands.until import pause, until
from epolab.model import facts
from epolab.model.node import Node
from epolab.verify.callins import server_time
from epolab.verify.datachannel import SHIFT_SECONDS, have_called
from epolab.verify.policy_change import names_of
from epolab.verify.run_now_plan import SESSION_SECONDS, Report, Run, Runs, expected_way
from epolab.verify.ways import limit_seconds
from epolab.verify.web_api import Upload, shell_text
from epolab.verify.witness import Witness

Systems = Mapping[Node, Mapping[str, Any]]
"""Agents, with the server's row of each."""
PRODUCT = "EPOAGENTMETA"
FOLDER = "/etc/miniepo"
AGENT_LOG = "/var/log/miniepo/cmdagent.log"
ROUNDS = 4
"""An agent calls in by itself too: a start that a call-in came before proves nothing, and is tried again."""
NODES_AT_A_TIME = 8
PAUSE_SECONDS = 0.2


def observe(witness: Witness) -> dict[str, Runs]:
    """Run a small scan on every agent at once, and again on those of which nothing can be said yet; by node path.

    Those whom nobody can tell are told on their nodes to call in when it is over on the others.
    """
    topology = witness.topology
    nodes = witness.running(facts.agents(topology))
    observed = {node.path: Runs() for node in nodes}
    found = {row["EPOComputerProperties.IPHostName"]: row for row in witness.api("system.find", searchText="")}
    systems: Systems = {node: found[node.fqdn] for node in nodes}
    silent = [node for node in nodes if expected_way(topology, node) == "after a call-in"]
    told = [node for node in nodes if node not in silent]
    with scan_task(witness) as task:
        first = begin(witness, nodes, *task)
        _note(observed, finish(witness, {node: systems[node] for node in told}, first))
        have_called(witness, silent)
        _until_clear(witness, {node: systems[node] for node in told}, task, observed)
        _note(observed, finish(witness, {node: systems[node] for node in silent}, first))
    return observed


def _viewed(witness: Witness, number: str) -> Mapping[int, Mapping[str, Any]]:
    """What the live view of an action shows of each system; nothing if the server does not show it."""
    with suppress(WorldError):
        return {row["systemId"]: row for row in witness.api("miniepo.watchRunNow", taskLogId=number)["subtasks"]}
    return {}


def _until_clear(witness: Witness, systems: Systems, task: tuple[str, str], observed: Mapping[str, Runs]) -> None:
    """Run it again on those that should start at once, and that a call-in may have told of it."""
    topology = witness.topology
    direct = [node for node in systems if expected_way(topology, node) == "at once"]
    for number in range(1, ROUNDS):
        left = [node for node in direct if not observed[node.path].clear]
        if not left:
            return
        pause(number * SHIFT_SECONDS)
        _note(observed, run_once(witness, {node: systems[node] for node in left}, *task))


def _note(observed: Mapping[str, Runs], found: Mapping[str, Run]) -> None:
    for path, run in found.items():
        observed[path].runs.append(run)


@contextmanager
def scan_task(witness: Witness) -> Iterator[tuple[str, str]]:
    """A client task that scans a small folder; its number and name. Afterwards it is gone."""
    name = f"Verdict: scan {uuid.uuid4().hex[:8]}"
    task = {"name": name, "type": "scan", "settings": {"folder": FOLDER}}
    upload = Upload("importFileName", "tasks.json", json.dumps([task]).encode())
    number = str(witness.api("clienttask.importClientTask", upload)[0]["objectId"])
    script = f"{shell_text('miniepo.deleteTask', {'taskId': number})} | grep -q '^OK:'"
    undo = Undo(witness.server.path, script, name, keepers=(facts.sql(witness.topology).path,))
    with witness.journal.undone_by(undo):
        yield number, name


def run_once(witness: Witness, systems: Systems, task_id: str, name: str) -> dict[str, Run]:
    """Run the task on these agents in one action, and gather all of it when it is over or takes too long."""
    return finish(witness, systems, begin(witness, list(systems), task_id, name))


def begin(witness: Witness, nodes: Sequence[Node], task_id: str, name: str) -> Run:
    """Ask that the task be run on these agents; the action as it is then."""
    asked = server_time(witness)
    reply = witness.api("clienttask.run", names=names_of(nodes), productId=PRODUCT, taskId=task_id)
    if reply != "Succeeded":
        raise WorldError(f"clienttask.run answered {reply!r}")
    log_id = max(int(view["taskLogId"]) for view in witness.api("miniepo.listRunNow") if view["task"] == name)
    return Run(log_id, asked)


def finish(witness: Witness, systems: Systems, run: Run) -> dict[str, Run]:
    """What became of an action on these agents, gathered when it is over on all of them or takes too long."""
    if not systems:
        return {}
    numbers = {row.get("EPOComputerProperties.ParentID") for row in systems.values()}
    subtasks: list[dict[str, Any]] = []

    def all_over() -> bool:
        subtasks[:] = witness.api("tasklog.listSubtasks", taskLogId=str(run.log_id))
        return all(row["endDate"] for row in subtasks if row["systemId"] in numbers)

    with suppress(TimeoutExceededError):  # what is not over is told agent by agent
        limit = limit_seconds(list(systems), intervals=2.0)
        until(all_over, what=f"all subtasks of {run.log_id} end", limit_seconds=limit, pause_seconds=PAUSE_SECONDS)
    return _gather(witness, systems, run, subtasks)


def _gather(witness: Witness, systems: Systems, run: Run, subtasks: Sequence[dict[str, Any]]) -> dict[str, Run]:
    number = str(run.log_id)
    of_system = {row["systemId"]: row for row in subtasks}
    views = _viewed(witness, number)
    messages = witness.api("tasklog.listMessages", taskLogId=number)
    answers = witness.api("miniepo.listChannelAnswers", correlation=number)
    calls = witness.api("miniepo.listCallins", since=str(run.asked - SESSION_SECONDS))
    with ThreadPoolExecutor(NODES_AT_A_TIME) as pool:
        counts = pool.map(lambda node: runs_in_log(witness, node, run.log_id), systems)
        ran = dict(zip(systems, counts, strict=True))
    found: dict[str, Run] = {}
    for node, row in systems.items():
        subtask = of_system.get(row["EPOComputerProperties.ParentID"])
        found[node.path] = replace(
            run,
            subtask=subtask,
            messages=tuple(each["message"] for each in messages if subtask and each["subtaskId"] == subtask["id"]),
            reports=reports_of(answers, row["EPOLeafNode.AgentGUID"]),
            callins=tuple(call["received"] for call in calls if call["fqdn"] == node.fqdn),
            ran=ran[node],
            view=views.get(row["EPOComputerProperties.ParentID"]),
        )
    return found


def reports_of(answers: Sequence[Mapping[str, Any]], guid: str | None) -> tuple[Report, ...]:
    """What one agent said, in the order in which it came."""
    own = [each for each in answers if each["guid"] == guid and each["kind"] == "task-status"]
    return tuple(Report(each["payload"]["status"], each["payload"]["percent"], each["received"]) for each in own)


def runs_in_log(witness: Witness, node: Node, log_id: int) -> int:
    """How many runs of an action an agent's own log tells of."""
    return int(witness.run(node.path, f"grep -c '(run {log_id}\\.' {AGENT_LOG}").stdout.strip() or 0)
