"""Calling agents from outside that nobody reaches: waking them up, and knocking at their ports from the handlers."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.agents import port_of
from epolab.verify.knocks import Answer, Knock
from epolab.verify.line_time import patience_seconds
from epolab.verify.policy_change import names_of
from epolab.verify.witness import Witness

WAKE_UP_TASK = "Wake Up Agents"


@dataclass
class Outside:
    """What calls from outside met: the Web API's reply, the Server Task Log, and knocks by node path."""

    woken: str = ""
    log: list[str] = field(default_factory=list)
    log_states: list[str] = field(default_factory=list)
    knocks: dict[str, list[tuple[str, Knock, Answer]]] = field(default_factory=dict)

    def about(self, node: Node) -> list[str]:
        """The lines of the Server Task Log about a system."""
        return [line for line in self.log if line.startswith(f"{node.name}: ")]

    def let_in(self, path: str) -> list[tuple[str, str]]:
        """The knocks at an agent that were answered, as (expected, observed)."""
        return [
            (f"{path}: {handler} does not get its log page at {knock.address}", f"{handler}: {answer.text}")
            for handler, knock, answer in self.knocks[path]
            if answer.answered
        ]


def uncalled(topology: Topology) -> list[Node]:
    """The agents that go to a handler themselves and that no handler can call, such as those behind NAT."""
    direct = [node for node in facts.agents(topology) if not facts.needs_relay(topology, node)]
    return [node for node in direct if not facts.wakers(topology, node)]


def call_from_outside(witness: Witness, topology: Topology, nodes: Sequence[Node]) -> Outside:
    """Try to wake the agents up and read what the Server Task Log says; meanwhile knock at their ports from the
    handlers."""
    seen = Outside(knocks={node.path: [] for node in nodes})
    if not nodes:
        return seen
    handlers = facts.handlers(topology)
    with ThreadPoolExecutor(len(handlers)) as pool:
        barred = {h: [node for node in nodes if h not in facts.wakers(topology, node)] for h in handlers}
        knocking = [pool.submit(_knock, witness, handler, those, seen) for handler, those in barred.items()]
        _wake(witness, nodes, seen)
        for each in knocking:
            each.result()
    return seen


def _wake(witness: Witness, nodes: Sequence[Node], seen: Outside) -> None:
    known = {entry["id"] for entry in witness.api("tasklog.listTaskHistory", taskName=WAKE_UP_TASK)}
    seen.woken = str(witness.api("system.wakeupAgent", names=names_of(nodes)))
    for entry in witness.api("tasklog.listTaskHistory", taskName=WAKE_UP_TASK):
        if entry["id"] not in known:
            seen.log_states.append(entry["state"])
            seen.log += [row["message"] for row in witness.api("tasklog.listMessages", taskLogId=str(entry["id"]))]


def _knock(witness: Witness, handler: Node, nodes: Sequence[Node], seen: Outside) -> None:
    """Knock from a handler that has no way there at the agents' ports, in both families."""
    topology = witness.topology
    visits = [
        (
            node.path,
            Knock("tcp", str(address), port_of(topology, node), timeout_s=patience_seconds(topology, handler, node)),
        )
        for node in nodes
        for address in (node.ipv4, node.ipv6)
    ]
    answers = witness.knock(handler.path, [knock for _, knock in visits])
    for (path, knock), answer in zip(visits, answers, strict=True):
        seen.knocks[path].append((handler.path, knock, answer))
