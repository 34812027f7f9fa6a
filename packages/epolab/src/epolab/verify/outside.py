"""Calling agents from outside that nobody reaches: wake-ups, pushes, and knocks at their ports from the handlers."""

from __future__ import annotations

from collections import Counter
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
from epolab.verify.pushes import WRONG_PASSWORD, push
from epolab.verify.segment_plan import NOTHING, OWN_ASCI, Told
from epolab.verify.witness import Witness

WAKE_UP_TASK = "Wake Up Agents"
NOT_INSTALLED, BEHIND_RELAY = "could not install an agent", "through relay"
PUSHED_AT_MOST = 3
"""A push is a package built and a program run for each system, and all of them go the same way through the server."""


@dataclass
class Outside:
    """What calls from outside met: the Web API's reply, the Server Task Log, pushes and knocks by node path."""

    woken: str = ""
    log: list[str] = field(default_factory=list)
    log_states: list[str] = field(default_factory=list)
    knocks: dict[str, list[tuple[str, Knock, Answer]]] = field(default_factory=dict)
    pushes: dict[str, Told] = field(default_factory=dict)

    def about(self, node: Node) -> list[str]:
        """The lines of the Server Task Log about a system."""
        return [line for line in self.log if line.startswith(f"{node.name}: ")]

    def untold(self, node: Node) -> list[tuple[str, str]]:
        """What is not told of the calls to an agent behind a relay, as (expected, observed): each failed, and why."""
        broken = []
        says, lines = f"{node.path}: the Server Task Log says that the", self.about(node)
        if not any(": failed" in line and BEHIND_RELAY in line for line in lines):
            told = "; ".join(lines) or f"no line about it; the call's answer was {self.woken!r}"
            broken.append((f"{says} wake-up failed and that the agent is behind a relay", told))
        if self.log_states != ["Failed"]:
            broken.append((f"{node.path}: the wake-up is logged as failed", f"as {self.log_states}"))
        pushed = self.pushes.get(node.path)
        if pushed is not None and not (pushed.state == "Failed" and _is_told(pushed.message)):
            told = f"{pushed.state or 'nothing'}: {pushed.message}"
            broken.append((f"{says} push failed and that the agent is behind a relay", told))
        return broken

    def let_in(self, path: str) -> list[tuple[str, str]]:
        """The knocks at an agent that were answered, as (expected, observed)."""
        return [
            (f"{path}: {handler} does not get its log page at {knock.address}", f"{handler}: {answer.text}")
            for handler, knock, answer in self.knocks[path]
            if answer.answered
        ]


def _is_told(message: str) -> bool:
    return all(words in message for words in (NOT_INSTALLED, BEHIND_RELAY, OWN_ASCI))


def uncalled(topology: Topology) -> list[Node]:
    """The agents that go to a handler themselves and that no handler can call, such as those behind NAT."""
    direct = [node for node in facts.agents(topology) if not facts.needs_relay(topology, node)]
    return [node for node in direct if not facts.wakers(topology, node)]


def pushed_to(topology: Topology, nodes: Sequence[Node]) -> list[Node]:
    """Those of these agents to which a push is tried: a few that live behind relays, whose names nobody else has."""
    names = Counter(node.name for node in topology.nodes)
    hidden = [node for node in nodes if facts.needs_relay(topology, node) and not facts.wakers(topology, node)]
    return [node for node in hidden if names[node.name] == 1][:PUSHED_AT_MOST]


def call_from_outside(witness: Witness, topology: Topology, nodes: Sequence[Node]) -> Outside:
    """Try to wake the agents up, push to those behind relays, and read what the Server Task Log says; meanwhile knock
    at their ports from the handlers."""
    seen = Outside(knocks={node.path: [] for node in nodes})
    if not nodes:
        return seen
    handlers = facts.handlers(topology)
    with ThreadPoolExecutor(len(handlers) + 1) as pool:
        barred = {h: [node for node in nodes if h not in facts.wakers(topology, node)] for h in handlers}
        knocking = [pool.submit(_knock, witness, handler, those, seen) for handler, those in barred.items()]
        pushing = pool.submit(_push, witness, pushed_to(topology, nodes), seen)
        _wake(witness, nodes, seen)
        for each in (*knocking, pushing):
            each.result()
    return seen


def _wake(witness: Witness, nodes: Sequence[Node], seen: Outside) -> None:
    known = {entry["id"] for entry in witness.api("tasklog.listTaskHistory", taskName=WAKE_UP_TASK)}
    seen.woken = str(witness.api("system.wakeupAgent", names=names_of(nodes)))
    for entry in witness.api("tasklog.listTaskHistory", taskName=WAKE_UP_TASK):
        if entry["id"] not in known:
            seen.log_states.append(entry["state"])
            seen.log += [row["message"] for row in witness.api("tasklog.listMessages", taskLogId=str(entry["id"]))]


def _push(witness: Witness, nodes: Sequence[Node], seen: Outside) -> None:
    """Push to these agents with a password that no host takes: nothing can come of it but a message."""
    if nodes:
        _, log = push(witness, [node.name for node in nodes], witness.server, password=WRONG_PASSWORD)
        seen.pushes = {node.path: log.get(node.fqdn, NOTHING) for node in nodes}


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
