"""The life of agents behind relays: what they get and deliver, what does not reach them, and losing their relay."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from epolab.errors import TimeoutExceededError
from epolab.hands.beside import tried
from epolab.hands.until import until
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.agents import becomes, status, update
from epolab.verify.callins import CallIn, await_callins, server_time
from epolab.verify.events import await_events
from epolab.verify.outside import Outside, call_from_outside
from epolab.verify.policy_change import assigned
from epolab.verify.relay_capture import Capture, captured
from epolab.verify.relay_lacks import Lack, fed, lacking
from epolab.verify.relay_rounds import current_again, current_relay, rounds, stoppable
from epolab.verify.relay_trials import Move, heard, questions, sources, undiscoverable, unhelped, without
from epolab.verify.ways import goes, limit_seconds, ways
from epolab.verify.web_api import shell_text
from epolab.verify.witness import Witness

EVENT = "runuser -u mfeagent -- miniepo ctl event --id 1120 --severity 5 --text {text}"
POLICY = "Verdict: policy through a relay"
ASCI_CHANGE_SECONDS = 0.5
CAPTURE_SECONDS = 180.0
"""What else passes relays meanwhile, however slow: updates, calls from outside, a policy that comes and goes."""
END_OF_REPLY = "=== end of reply ==="


@dataclass
class Life:
    """What the agents behind relays got and delivered, by node path.

    `asked` is how often each looked for relays, by IP family, `regular` how often it called in because its interval was
    over; `captures` is what could be seen on each relay, and `shown` the reply to who wanted to see an agent's log.

    `updates` are the complaints about updates, empty where they succeeded. `content` are the versions that the master
    had of each product; `updated` is an agent's status right after its
    update, and `after` when all was over: by its own schedule an agent soon updates again. `lacks` is what became of
    those that take content through relays once none came through their current one.
    """

    intervals: dict[str, float]
    content: dict[str, list[str]]
    text: str = field(default_factory=lambda: f"verdict-{uuid.uuid4().hex}")
    callins: dict[str, CallIn | None] = field(default_factory=dict)
    policies: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    updates: dict[str, str] = field(default_factory=dict)
    updated: dict[str, dict[str, Any]] = field(default_factory=dict)
    after: dict[str, dict[str, Any]] = field(default_factory=dict)
    lacks: Future[dict[str, Lack]] = field(default_factory=lambda: tried(dict))
    events: dict[str, int] = field(default_factory=dict)
    outside: Outside = field(default_factory=Outside)
    shown: dict[str, str] = field(default_factory=dict)
    asked: dict[str, dict[int, int]] = field(default_factory=dict)
    regular: dict[str, int] = field(default_factory=dict)
    captures: dict[str, Capture] = field(default_factory=dict)


def behind(topology: Topology) -> list[Node]:
    """The agents that live through relays."""
    return [node for node in facts.agents(topology) if facts.needs_relay(topology, node)]


def live(witness: Witness, topology: Topology) -> Life:
    """Change a policy, run an update, raise an event and call from outside, for all agents behind relays at once."""
    nodes = witness.running(behind(topology))
    life = Life({node.path: node.asci_seconds + ASCI_CHANGE_SECONDS for node in nodes}, stocked(witness))
    if not nodes:
        return life
    since = server_time(witness)
    near = relays_of(topology, nodes)
    before = heard(witness, near)
    with captured(witness, topology, near, [life.text], capture_seconds(nodes)) as captures:
        _live_on(witness, topology, nodes, life)
        _await_both(witness, nodes, life, since)
        life.after = {node.path: status(witness, node.path) for node in nodes}
    life.captures = captures
    _count_questions(witness, nodes, before, since, life)
    return life


def _count_questions(
    witness: Witness, nodes: list[Node], before: Mapping[str, list[str]], since: float, life: Life
) -> None:
    """Count questions for relays and regular call-ins; who has called in only once may have asked before that began."""

    own = sources(witness, [node.path for node in nodes])

    def can_be_told() -> bool:
        after, calls = heard(witness, before), witness.api("miniepo.listCallins", since=str(since))
        life.asked = {node.path: questions(before, after, own[node.path]) for node in nodes}
        names = [call["fqdn"] for call in calls if call["reason"] == "asci"]
        life.regular = {node.path: names.count(node.fqdn) for node in nodes}
        return all(min(life.asked[node.path].values()) > 0 or life.regular[node.path] > 1 for node in nodes)

    with suppress(TimeoutExceededError):  # who asks nobody is told agent by agent
        until(can_be_told, what="questions for relays", limit_seconds=limit_seconds(nodes), pause_seconds=0.5)


def capture_seconds(nodes: Collection[Node]) -> float:
    """How long relays may be looked into: a policy is waited for, then call-ins and events, each up to its limit."""
    return CAPTURE_SECONDS + 2 * limit_seconds(nodes)


def _await_both(witness: Witness, nodes: list[Node], life: Life, since: float) -> None:
    """Wait for the call-ins and the events of all agents, as long as either may take.

    Who lost its relay in the middle of a session, because a policy has just turned that off, went on to its next
    handler, and comes back by the right way.
    """
    texts = {node.path: [life.text] for node in nodes}
    with ThreadPoolExecutor(1) as pool:
        events = pool.submit(await_events, witness, texts, limit_seconds(nodes))
        right = {node.path: ways(witness.topology, node) for node in nodes}
        wanted = {path: lambda call, path=path: goes(call, right[path]) for path in right}
        life.callins = await_callins(witness, wanted, since, limit_seconds(nodes))
        life.events = {path: found[life.text] for path, found in events.result().items()}


def relays_of(topology: Topology, nodes: list[Node]) -> list[str]:
    """The relays (paths) that these agents may use."""
    return list(dict.fromkeys(relay.path for node in nodes for relay in facts.relays_for(topology, node)))


def _live_on(witness: Witness, topology: Topology, nodes: list[Node], life: Life) -> None:
    changes = {path: {"asciSeconds": seconds} for path, seconds in life.intervals.items()}
    with assigned(witness, POLICY, changes, wake=False), ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda node: witness.must(node.path, EVENT.format(text=life.text)), nodes))
        calls = pool.submit(call_from_outside, witness, topology, nodes)
        shown = pool.submit(show_logs, witness, nodes)
        updates = {node.path: pool.submit(_update, witness, node, life) for node in nodes}
        policies = {node.path: pool.submit(_policy_arrives, witness, node, life) for node in nodes}
        life.updates = {path: future.result() for path, future in updates.items()}
        served = [node.path for node in fed(topology) if life.updates.get(node.path) == ""]
        life.lacks = tried(lambda: lacking(witness, topology, served))
        life.policies = {path: future.result() for path, future in policies.items()}
        life.outside = calls.result()
        life.shown = shown.result()
        life.content = newer(life.content, master_content(witness))


def show_logs(witness: Witness, nodes: list[Node]) -> dict[str, str]:
    """What the server says to who wants to see these agents' logs, asked for all of them at once; by node path."""
    calls = [shell_text("miniepo.showAgentLog", {"names": node.fqdn}) for node in nodes]
    asked = " ".join(f"{{ {call}; }} >$d/{number} 2>&1 &" for number, call in enumerate(calls))
    told = "; ".join(f"cat $d/{number}; printf '{END_OF_REPLY}'" for number in range(len(calls)))
    script = f"d=$(mktemp -d); {asked} wait; {told}; rm -r $d"
    replies = witness.must(witness.server.path, script, line="logs").split(END_OF_REPLY)
    return {node.path: reply for node, reply in zip(nodes, replies, strict=False)}


def _update(witness: Witness, node: Node, life: Life) -> str:
    complaint = update(witness, node.path)
    life.updated[node.path] = status(witness, node.path)
    return complaint


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


def stocked(witness: Witness) -> dict[str, list[str]]:
    """The content of the master repository, which is told to pull if it has none: it does so once a minute only."""
    if content := master_content(witness):
        return content
    witness.api("repository.pull", sourceRepository="")
    return master_content(witness)


def master_content(witness: Witness) -> dict[str, list[str]]:
    """The versions of each product in the master repository."""
    content: dict[str, list[str]] = {}
    for row in witness.api("repository.findPackages"):
        content.setdefault(row["productID"], []).append(row["productDetectionProductVersion"])
    return content


def _policy_arrives(witness: Witness, node: Node, life: Life) -> dict[str, Any] | None:
    wanted = life.intervals[node.path]
    return becomes(witness, node.path, lambda seen: bool(seen["asci_seconds"] == wanted), limit_seconds([node]))


def move_on(witness: Witness, topology: Topology) -> dict[str, Move]:
    """Bar discovery, start the agents anew, stop each relay then in use that leaves its agents another one.

    Which relay that is may be another one after the start: the first that the agent remembers.
    """
    current = {
        node.path: relay
        for node in witness.running(behind(topology))
        if (relay := current_relay(topology, node, status(witness, node.path))) is not None
    }
    users = [path for path, relay in current.items() if stoppable(topology, relay, current)]
    moves: dict[str, Move] = {}
    if not users:
        return moves
    with undiscoverable(witness, users):
        seen = unhelped(witness, topology, users)
        current = current_again(topology, current, {path: each.again for path, each in seen.items()})
        for group in rounds(topology, current):
            own = {path: each for path, each in seen.items() if current[path] in group}
            moves |= without(witness, topology, group, own)
    return moves
