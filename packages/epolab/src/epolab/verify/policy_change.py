"""Agents with a setting of their own for the length of a check, by a policy that the server delivers to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from epolab.hands.journal import Undo
from epolab.model import facts
from epolab.model.management import Category
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.web_api import Upload, shell_text
from epolab.verify.witness import Witness

Settings = Mapping[str, object]


def changed_settings(
    topology: Topology, node: Node, change: Settings, category: Category = "agent"
) -> dict[str, object]:
    """The policy of a category that is in force on a node, but for what changes."""
    policy = facts.policies_of(topology, node).get(category)
    return {**(policy.settings if policy else {}), **change}


def needed_policies(
    topology: Topology, changes: Mapping[str, Settings], category: Category = "agent"
) -> dict[str, list[Node]]:
    """The settings that are needed, as JSON text, and the nodes that need them; `changes` are by node path."""
    found: dict[str, list[Node]] = {}
    for path, change in changes.items():
        node = topology.node(path)
        settings = changed_settings(topology, node, change, category)
        found.setdefault(json.dumps(settings, sort_keys=True), []).append(node)
    return found


def own_policy(topology: Topology, node: Node, category: Category = "agent") -> str | None:
    """The name of the policy of a category that the topology assigns to this very system, if it does."""
    names = {policy.name for policy in topology.management.policies if policy.category == category}
    own = [a.policy for a in topology.management.assignments if a.system == node.path and a.policy in names]
    return own[0] if own else None


@contextmanager
def assigned(
    witness: Witness, name: str, changes: Mapping[str, Settings], *, wake: bool, category: Category = "agent"
) -> Iterator[None]:
    """These changes are assigned to these systems; the agents learn of it when they call in.

    Afterwards what the topology assigns is assigned again; with `wake` the agents are told at once.
    """
    wanted = list(needed_policies(witness.topology, changes, category).items())
    uploaded = [
        {"name": f"{name} {number}", "category": category, "settings": json.loads(settings)}
        for number, (settings, _) in enumerate(wanted, 1)
    ]
    rows = witness.api("policy.importPolicy", Upload("file", "policies.json", json.dumps(uploaded).encode()))
    numbers = [str(row["objectId"]) for row in rows]
    nodes = [node for _, group in wanted for node in group]
    with witness.journal.undone_by(_undo(witness, name, nodes, numbers, category, wake=wake)):
        for number, (_, group) in zip(numbers, wanted, strict=True):
            witness.api("policy.assignToSystem", **_assignment(names_of(group), number))
        yield


def names_of(nodes: Sequence[Node]) -> str:
    """Systems as the Web API takes them."""
    return ",".join(node.fqdn for node in nodes)


def _assignment(names: str, number: str) -> dict[str, str]:
    return {"names": names, "productId": "EPOAGENTMETA", "typeId": "1", "objectId": number}


def _undo(
    witness: Witness, name: str, nodes: Sequence[Node], numbers: Sequence[str], category: Category, *, wake: bool
) -> Undo:
    """Back to the policies of the topology, if asked a wake-up so that they are in force at once, no trace of ours."""
    found = {row["objectName"]: str(row["objectId"]) for row in witness.api("policy.find")}
    calls = undo_calls(witness.topology, nodes, numbers, found, category, wake=wake)
    script = " && ".join(f"{shell_text(command, words)} | grep -q '^OK:'" for command, words in calls)
    return Undo(witness.server.path, script, name, keepers=(facts.sql(witness.topology).path,))


def undo_calls(
    topology: Topology,
    nodes: Sequence[Node],
    numbers: Sequence[str],
    found: Mapping[str, str],
    category: Category = "agent",
    *,
    wake: bool,
) -> list[tuple[str, dict[str, str]]]:
    """The Web API's calls that take back these policies (`numbers`); `found` are the others' numbers by name.

    Deleting a policy takes its assignments with it, so that the systems inherit again, and may be repeated.
    """
    calls = []
    for node in nodes:
        own = own_policy(topology, node, category)
        if own is not None:
            calls.append(("policy.assignToSystem", _assignment(node.fqdn, found[own])))
    calls += [("miniepo.deletePolicy", {"objectId": number}) for number in numbers]
    if wake:
        calls.append(("system.wakeupAgent", {"names": names_of(nodes)}))
    return calls
