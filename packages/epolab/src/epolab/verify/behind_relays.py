"""The life of agents behind relays: what they get and deliver, what does not reach them, and losing their relay."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.agents import becomes, port_of, status
from epolab.verify.callins import CallIn, await_callins, server_time
from epolab.verify.events import await_events
from epolab.verify.knocks import Answer, Knock
from epolab.verify.line_time import patience_seconds
from epolab.verify.policy_change import assigned, names_of
from epolab.verify.services import RELAY, answers, stopped
from epolab.verify.ways import Way, goes, limit_seconds, ways
from epolab.verify.witness import Ran, Witness

EVENT = "runuser -u mfeagent -- miniepo ctl event --id 1120 --severity 5 --text {text}"
UPDATE = "runuser -u mfeagent -- miniepo ctl update"
POLICY = "Verdict: policy through a relay"
WAKE_UP_TASK = "Wake Up Agents"
ASCI_CHANGE_SECONDS = 0.5


@dataclass
class Life:
    """What the agents behind relays got and delivered, by node path.

    `content` are the versions that the master had of each product; `updated` is an agent's status right after its
    update, and `after` when all was over: by its own schedule an agent soon updates again.
    """

    intervals: dict[str, float]
    content: dict[str, list[str]]
    text: str = field(default_factory=lambda: f"verdict-{uuid.uuid4().hex}")
    callins: dict[str, CallIn | None] = field(default_factory=dict)
    policies: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    updates: dict[str, Ran] = field(default_factory=dict)
    updated: dict[str, dict[str, Any]] = field(default_factory=dict)
    after: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    woken: str = ""
    log: list[str] = field(default_factory=list)
    log_states: list[str] = field(default_factory=list)
    knocks: dict[str, list[tuple[str, Knock, Answer]]] = field(default_factory=dict)


def behind(topology: Topology) -> list[Node]:
    """The agents that live through relays."""
    return [node for node in facts.agents(topology) if facts.needs_relay(topology, node)]


def live(witness: Witness, topology: Topology) -> Life:
    """Change a policy, run an update, raise an event and call from outside, for all agents behind relays at once."""
    nodes = witness.running(behind(topology))
    life = Life({node.path: node.asci_seconds + ASCI_CHANGE_SECONDS for node in nodes}, master_content(witness))
    if not nodes:
        return life
    since = server_time(witness)
    changes = {path: {"asciSeconds": seconds} for path, seconds in life.intervals.items()}
    with assigned(witness, POLICY, changes, wake=False), ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda node: witness.must(node.path, EVENT.format(text=life.text)), nodes))
        calls = pool.submit(_call_from_outside, witness, topology, nodes, life)
        updates = {node.path: pool.submit(_update, witness, node, life) for node in nodes}
        policies = {node.path: pool.submit(_policy_arrives, witness, node, life) for node in nodes}
        life.updates = {path: future.result() for path, future in updates.items()}
        life.policies = {path: future.result() for path, future in policies.items()}
        calls.result()
        life.content = newer(life.content, master_content(witness))
    life.callins = await_callins(witness, {node.path: lambda _: True for node in nodes}, since, limit_seconds(nodes))
    life.after = {node.path: status(witness, node.path) for node in nodes}
    found = await_events(witness, {node.path: [life.text] for node in nodes}, limit_seconds(nodes))
    life.events = {path: texts[life.text] for path, texts in found.items()}
    return life


def _update(witness: Witness, node: Node, life: Life) -> Ran:
    ran = witness.run(node.path, UPDATE, "update")
    life.updated[node.path] = status(witness, node.path)
    return ran


def content_troubles(
    topology: Topology, node: Node, seen: Mapping[str, Any], content: Mapping[str, list[str]]
) -> list[tuple[str, str]]:
    """What is wrong with where an agent took its content, or with what it has, as (expected, observed).

    Beside a repository it takes content from that one, without a relay, and has what that one holds: how far that
    one may be behind the master's `content` is for the promise `replication`.
    """
    took = f"it took it from {seen['update_source']} through {seen['update_via_relay'] or 'no relay'}"
    near = facts.repository_of(topology, node).path
    name = next((each.name for each in topology.management.repositories if each.node == near), None)
    if name is not None:
        right = not seen["update_via_relay"] and str(seen["update_source"]).upper() == name.upper()
        return [] if right else [(f"{node.path}: takes content from {name}, without a relay", took)]
    broken = [] if seen["update_via_relay"] else [(f"{node.path}: takes content through a relay", took)]
    if any(seen["installed"].get(product) not in versions for product, versions in content.items()):
        wanted = f"{node.path}: has the content of the master, {dict(content)}"
        broken.append((wanted, f"it has {seen['installed']}"))
    return broken


def newer(before: Mapping[str, list[str]], now: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The versions of products that were there before, with those that a pull has brought of them meanwhile."""
    return {name: list(dict.fromkeys([*versions, *now.get(name, [])])) for name, versions in before.items()}


def master_content(witness: Witness) -> dict[str, list[str]]:
    """The versions of each product in the master repository."""
    content: dict[str, list[str]] = {}
    for row in witness.api("repository.findPackages"):
        content.setdefault(row["productID"], []).append(row["productDetectionProductVersion"])
    return content


def _policy_arrives(witness: Witness, node: Node, life: Life) -> dict[str, Any] | None:
    wanted = life.intervals[node.path]
    return becomes(witness, node.path, lambda seen: bool(seen["asci_seconds"] == wanted), limit_seconds([node]))


def _call_from_outside(witness: Witness, topology: Topology, nodes: list[Node], life: Life) -> None:
    """Try to wake the agents up and read what the Server Task Log says; knock at their ports from the handlers."""
    known = {entry["id"] for entry in witness.api("tasklog.listTaskHistory", taskName=WAKE_UP_TASK)}
    life.woken = str(witness.api("system.wakeupAgent", names=names_of(nodes)))
    for entry in witness.api("tasklog.listTaskHistory", taskName=WAKE_UP_TASK):
        if entry["id"] not in known:
            life.log_states.append(entry["state"])
            life.log += [row["message"] for row in witness.api("tasklog.listMessages", taskLogId=str(entry["id"]))]
    life.knocks = {node.path: [] for node in nodes}
    for handler in facts.handlers(topology):
        _knock(
            witness, topology, handler, [node for node in nodes if handler not in facts.wakers(topology, node)], life
        )


def _knock(witness: Witness, topology: Topology, handler: Node, nodes: list[Node], life: Life) -> None:
    """Knock from a handler that has no way there at the agents' ports, in both families."""
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
        life.knocks[path].append((handler.path, knock, answer))


@dataclass(frozen=True, slots=True)
class Move:
    """Where an agent went while its relay was stopped."""

    stopped: str
    right: tuple[Way, ...]
    call: CallIn | None


def move_on(witness: Witness, topology: Topology) -> dict[str, Move]:
    """Stop each relay in use that leaves its agents another one, and see where they go."""
    current = {
        node.path: current_relay(topology, node, status(witness, node.path))
        for node in witness.running(behind(topology))
    }
    moves: dict[str, Move] = {}
    for group in rounds(topology, {path: relay for path, relay in current.items() if relay is not None}):
        users = [path for path, relay in current.items() if relay in group]
        found, kept_down = _without(witness, topology, group, users)
        if not kept_down:  # a relay's agent starts it again when it happens to enforce its policies meanwhile
            found, _ = _without(witness, topology, group, users)
        moves |= found
    return moves


def current_relay(topology: Topology, node: Node, seen: Mapping[str, Any]) -> str | None:
    """The relay (node path) through which an agent called in last, by its status; None for a relay that has no name."""
    name = (seen["last_handler"] or {}).get("via_relay")
    return next((relay.path for relay in facts.relays_for(topology, node) if relay.name == name), None)


def rounds(topology: Topology, current: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Which relays (paths) can be stopped together, so that every agent keeps another one; `current` by agent."""
    found: list[tuple[str, ...]] = []
    for relay in dict.fromkeys(current.values()):
        users = [topology.node(path) for path, used in current.items() if used == relay]
        if any(len(facts.relays_for(topology, user)) < 2 for user in users):
            continue
        place = next((i for i, group in enumerate(found) if not _share_agents(topology, relay, group)), None)
        if place is None:
            found.append((relay,))
        else:
            found[place] = (*found[place], relay)
    return found


def _share_agents(topology: Topology, relay: str, group: tuple[str, ...]) -> bool:
    own = set(facts.relay_clients(topology, topology.node(relay)))
    return any(own & set(facts.relay_clients(topology, topology.node(other))) for other in group)


def _without(
    witness: Witness, topology: Topology, group: tuple[str, ...], users: list[str]
) -> tuple[dict[str, Move], bool]:
    """Where these agents call in while these relays are stopped, and whether the relays stayed so."""
    nodes = [topology.node(path) for path in users]
    right = {node.path: ways(topology, node, without=group) for node in nodes}
    ports = {path: facts.relay_port(topology, topology.node(path)) for path in group}
    with stopped(witness, ports, RELAY):
        since = server_time(witness)
        wanted = {path: lambda call, path=path: goes(call, right[path]) for path in users}
        calls = await_callins(witness, wanted, since, limit_seconds(nodes))
        kept_down = not any(answers(witness, path, port) for path, port in ports.items())
    return {path: Move(", ".join(group), right[path], calls[path]) for path in users}, kept_down
