"""Agents that call in rarely for the length of a check, so that a call-in has another cause than the time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from epolab.errors import WorldError
from epolab.hands.journal import Undo
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.agents import becomes
from epolab.verify.web_api import Upload, shell_text
from epolab.verify.witness import Witness

SLOW_ASCI_SECONDS = 300.0
POLICY = "Verdict: rare calls"


def settings_of(topology: Topology, node: Node) -> dict[str, object]:
    """The agent policy in force on a node, but for how often it calls in."""
    policy = facts.policies_of(topology, node).get("agent")
    return {**(policy.settings if policy else {}), "asciSeconds": SLOW_ASCI_SECONDS}


def slow_policies(topology: Topology, nodes: Sequence[Node]) -> dict[str, list[Node]]:
    """The settings that are needed, as JSON text, and the nodes that need them."""
    found: dict[str, list[Node]] = {}
    for node in nodes:
        found.setdefault(json.dumps(settings_of(topology, node), sort_keys=True), []).append(node)
    return found


def own_policy(topology: Topology, node: Node) -> str | None:
    """The name of the agent policy that the topology assigns to this very system, if it does."""
    agent = {policy.name for policy in topology.management.policies if policy.category == "agent"}
    own = [a.policy for a in topology.management.assignments if a.system == node.path and a.policy in agent]
    return own[0] if own else None


@contextmanager
def slowed(witness: Witness, nodes: Sequence[Node]) -> Iterator[None]:
    """Let these agents call in every 300 s only; afterwards they have their own policy again, and enforce it."""
    if not nodes:
        yield
        return
    wanted = list(slow_policies(witness.topology, nodes).items())
    uploaded = [
        {"name": f"{POLICY} {number}", "category": "agent", "settings": json.loads(settings)}
        for number, (settings, _) in enumerate(wanted, 1)
    ]
    rows = witness.api("policy.importPolicy", Upload("file", "policies.json", json.dumps(uploaded).encode()))
    numbers = [str(row["objectId"]) for row in rows]
    with witness.journal.undone_by(*_undos(witness, nodes, numbers)):
        for number, (_, group) in zip(numbers, wanted, strict=True):
            _assign(witness, group, number)
        _wake(witness, nodes)
        _all_become(witness, nodes, {node.path: SLOW_ASCI_SECONDS for node in nodes})
        yield
    _all_become(witness, nodes, {node.path: node.asci_seconds for node in nodes})


def _names(nodes: Sequence[Node]) -> str:
    return ",".join(node.fqdn for node in nodes)


def _assignment(names: str, number: str, *, reset: bool = False) -> dict[str, str]:
    words = {"names": names, "productId": "EPOAGENTMETA", "typeId": "1", "objectId": number}
    return {**words, "resetInheritance": "true"} if reset else words


def _assign(witness: Witness, nodes: Sequence[Node], number: str) -> None:
    witness.api("policy.assignToSystem", **_assignment(_names(nodes), number))


def _wake(witness: Witness, nodes: Sequence[Node]) -> None:
    witness.api("system.wakeupAgent", names=_names(nodes))


def _undos(witness: Witness, nodes: Sequence[Node], numbers: Sequence[str]) -> list[Undo]:
    """Back to the policies of the topology, then a wake-up so that they are in force at once, then no trace of ours.

    The journal takes notes back last first, so they are listed last first here.
    """
    found = {row["objectName"]: str(row["objectId"]) for row in witness.api("policy.find")}
    back = [_assignment(_names(nodes), numbers[0], reset=True)]
    for node in nodes:
        own = own_policy(witness.topology, node)
        if own is not None:
            back.append(_assignment(node.fqdn, found[own]))
    texts = [("miniepo.deletePolicy", {"objectId": number}) for number in numbers]
    calls = [("policy.assignToSystem", words) for words in back]
    wake = [("system.wakeupAgent", {"names": _names(nodes)})]
    script = " && ".join(f"{shell_text(name, words)} | grep -q '^OK:'" for name, words in (*calls, *wake, *texts))
    return [Undo(witness.server.path, script, "agents call in rarely")]


def _all_become(witness: Witness, nodes: Sequence[Node], asci_seconds: dict[str, float]) -> None:
    for node in nodes:
        wanted = asci_seconds[node.path]
        limit = max(60.0, 4 * node.asci_seconds)
        if becomes(witness, node.path, lambda seen, wanted=wanted: seen["asci_seconds"] == wanted, limit) is None:  # type: ignore[misc]
            raise WorldError(f"{node.path} does not enforce an ASCI of {wanted:g} s within {limit:g} s")
