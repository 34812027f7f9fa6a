"""The server process away for a while: handlers go on serving policies and tasks, and keep what agents deliver."""

from __future__ import annotations

import json
import shlex
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from epolab.errors import TimeoutExceededError, WorldError
from epolab.hands.until import until
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import CONSOLE
from epolab.model.topology import Topology
from epolab.verify.drawing import call_in, equals
from epolab.verify.events import await_events
from epolab.verify.moving import EVENT
from epolab.verify.policy_change import assigned, changed_settings
from epolab.verify.run_now import AGENT_LOG, scan_task
from epolab.verify.services import stopped
from epolab.verify.ways import limit_seconds
from epolab.verify.witness import Witness

SERVER = "miniepo-server"
POLICIES = "cat /var/lib/miniepo/agent/policies.json"
PSQL = "cd / && chpst -u postgres psql -q -v ON_ERROR_STOP=1 -d epo -c"
MARK = "enforcementSeconds"
RUNS_WITHIN_SECONDS = 15.0


@dataclass
class Served:
    """What an agent got from its handler while the server process was away; `mark` is the new setting's value.

    `ran` says whether it ran its new task meanwhile, `reported` how often that was with the database before the server
    was back.
    """

    mark: int
    handler: str = ""
    policies: str = ""
    refusal: str = ""
    events: int = 0
    ran: bool = False
    reported: int = 0


def askers(topology: Topology) -> dict[str, Node]:
    """For each handler (path) an agent that uses it; only where handler groups are declared, because it disturbs."""
    found: dict[str, Node] = {}
    for node in facts.agents(topology) if topology.management.handler_groups else ():
        direct = facts.direct_handlers(topology, node)
        if direct and not equals(topology, node):
            found.setdefault(direct[0].path, node)
    return found


def observe(witness: Witness, topology: Topology) -> dict[str, Served]:
    """Change policies of some agents, end the server process, give them a task, let them call in; by their paths."""
    nodes = witness.running(askers(topology).values())
    seen = {node.path: Served(_other_value(topology, node)) for node in nodes}
    marker = f"verdict-{uuid.uuid4().hex}"
    text = {node.path: f"{marker}-{node.name}" for node in nodes}
    changes = {path: {MARK: each.mark} for path, each in seen.items()}
    with assigned(witness, "Verdict without server", changes, wake=False), scan_task(witness) as (task_id, task):
        with stopped(witness, {witness.server.path: CONSOLE}, SERVER):
            _assign_task(witness, nodes, task_id)
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda path: _ask(witness, path, text[path], task, seen[path]), seen))
            back = float(witness.must(witness.server.path, "date +%s.%N"))
        reports = witness.api("miniepo.listTaskStatuses")
        found = await_events(witness, {path: [text[path]] for path in seen}, limit_seconds(nodes))
    for path, served in seen.items():
        served.events = found[path][text[path]]
        served.reported = reported(reports, topology.node(path).name, task_id, back)
    return seen


def _assign_task(witness: Witness, nodes: Sequence[Node], task_id: str) -> None:
    """Give systems a task as the server would, which is not there: what handlers deliver is in the database."""
    names = ", ".join(f"'{node.fqdn}'" for node in nodes)
    chosen = f"SELECT {int(task_id)}, ParentID FROM EPOComputerProperties WHERE lower(IPHostName) IN ({names})"
    statement = shlex.quote(f"INSERT INTO EPOTaskAssignments (TaskID, LeafNodeID) {chosen}")
    witness.must(facts.sql(witness.topology).path, f"{PSQL} {statement}")


def reported(rows: Sequence[Mapping[str, Any]], name: str, task_id: str, until: float) -> int:
    """How often a task's success on a system was with the database at a moment."""
    own = [row for row in rows if str(row["name"]).lower() == name.lower() and str(row["task_id"]) == task_id]
    return sum(row["status"] == "succeeded" and row["reported"] <= until for row in own)


def _other_value(topology: Topology, node: Node) -> int:
    """A value for the setting that is not the one in force; any number above a minute will do."""
    value = changed_settings(topology, node, {}).get(MARK, 300)
    return (int(value) if isinstance(value, int | float) else 300) + 77


def _ask(witness: Witness, path: str, text: str, task: str, served: Served) -> None:
    """An event, a call-in that brings what is new, the new task's run, and a call-in that reports it."""
    node = witness.topology.node(path)

    def ran() -> bool:
        served.ran = witness.run(path, f"grep -q 'task {task} (run ' {AGENT_LOG}").code == 0
        return served.ran

    try:
        witness.must(path, EVENT.format(text=text))
        [served.handler] = call_in(witness, witness.topology, [node], 1)[path]
        served.policies = witness.must(path, POLICIES)
        with suppress(TimeoutExceededError):  # that it did not run is told
            until(ran, what=f"{path} runs its task", limit_seconds=RUNS_WITHIN_SECONDS, pause_seconds=0.25)
        call_in(witness, witness.topology, [node], 1)
    except WorldError as error:
        served.refusal = str(error)


def wrong_service(node: Node, agent: str, served: Served) -> list[tuple[str, str]]:
    """What is wrong about a handler while the server process was away, as (expected, observed)."""
    handler, away = node.path, "while the server process does not run"
    if served.refusal:
        return [(f"{handler}: lets {agent} call in {away}", served.refusal)]
    broken = []
    if served.handler != handler:
        broken.append((f"{handler}: is called by {agent} {away}", f"{agent}: called in to {served.handler}"))
    if not has_mark(served.policies, served.mark):
        broken.append(
            (f"{handler}: delivers a changed policy to {agent} {away}", f"{agent}: the old policy is in force")
        )
    if not served.ran:
        broken.append((f"{handler}: delivers a new client task to {agent} {away}", f"{agent}: it has run none"))
    elif served.reported != 1:
        wanted = f"{handler}: takes the report of a client task from {agent} {away}"
        broken.append((wanted, f"{agent}: its report was there {served.reported} times"))
    if served.events != 1:
        wanted = f"{handler}: keeps an event of {agent} once {away}"
        broken.append((wanted, f"{agent}: its event is there {served.events} times"))
    return broken


def has_mark(policies: str, mark: int) -> bool:
    """Whether an agent's policies hold this value of the setting."""
    held = json.loads(policies).get("policies", [])
    return any(policy["settings"].get(MARK) == mark for policy in held if policy["category"] == "agent")
