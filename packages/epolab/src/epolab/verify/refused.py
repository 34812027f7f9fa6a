"""A crowd that is refused: with their first handler full, agents of a swarm call in elsewhere, each at its moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.callins import server_time
from epolab.verify.crowd import TOLD_AT_MOST
from epolab.verify.doors import CONNECTIONS, SPARED, look
from epolab.verify.drawing import SOCKET
from epolab.verify.swarm_orders_plan import MANY
from epolab.verify.ways import ways
from epolab.verify.witness import Witness

RETRY_AFTER_SECONDS = 5.0
"""What a full handler tells those whom it refuses; within so long they try another one."""
SPREAD_SECONDS = 2.0
"""All of `MANY` moments drawn from that time lie within so long in one of 60,000 runs."""
LEAST_ASCI_SECONDS = 20.0
"""Whose next ASCI is nearer may leave it at that."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What agents of a swarm did that were told to call in while their first handler (node path) was full.

    `held` is how many connections others had there, `answer` what the swarm said; `calls` are the call-ins that came of
    the order, as (full name, handler, when).
    """

    handler: str
    held: int
    answer: str
    calls: tuple[tuple[str, str, float], ...]


def refusable(topology: Topology) -> dict[str, Node]:
    """The first handler of each swarm (node path) whose agents all use the same one first, and may use another."""
    found = {node.path: _first_of_several(topology, node) for node in facts.swarms(topology)}
    return {path: first for path, first in found.items() if first is not None}


def _first_of_several(topology: Topology, node: Node) -> Node | None:
    first, reached = ways(topology, node), facts.direct_handlers(topology, node)
    if not MANY <= node.swarm <= TOLD_AT_MOST or node.asci_seconds < LEAST_ASCI_SECONDS:
        return None
    return reached[0] if len(first) == 1 and len(reached) > 1 and first[0].handler == reached[0].path else None


def observe(witness: Witness, path: str) -> Refused:
    """Fill the first handler of a swarm's agents and have them call in, all at once."""
    node, first = witness.topology.node(path), refusable(witness.topology)[path]
    since = server_time(witness)
    seen = look(witness, node, first, CONNECTIONS, SOCKET)
    names = frozenset(facts.swarm_members(node))
    rows = witness.api("miniepo.listCallins", since=str(since))
    return Refused(first.path, seen["held"], seen["meanwhile"], tuple(_ordered(rows, names)))


def _ordered(rows: Sequence[Mapping[str, Any]], names: frozenset[str]) -> list[tuple[str, str, float]]:
    own = [row for row in rows if row["fqdn"] in names and row["reason"] == "manual"]
    return [(row["fqdn"], row["handler"], row["received"]) for row in own]


def wrong_retries(node: Node, seen: Refused) -> list[tuple[str, str]]:
    """What is wrong with how refused agents came back, as (expected, observed).

    A few may have found a connection that somebody else gave back.
    """
    if seen.held < CONNECTIONS - SPARED:
        return [(f"{node.path}: its agents find {seen.handler} full", f"only {seen.held} connections stood there")]
    came = {name for name, _, _ in seen.calls}
    missing = [name for name in facts.swarm_members(node) if name not in came]
    moments = [moment for _, handler, moment in seen.calls if handler != seen.handler]
    broken = []
    if missing:
        wanted = f"{node.path}: each of its agents calls in although {seen.handler} is full"
        told = f"{', '.join(missing[:3])} and {max(0, len(missing) - 3)} more did not: {seen.answer}"
        broken.append((wanted, f"{node.path}: {told}"))
    if came and len(moments) < len(came) - SPARED:
        wanted = f"{node.path}: whom {seen.handler} refuses goes to another handler"
        broken.append((wanted, f"{node.path}: {len(came) - len(moments)} of {len(came)} called in there"))
    apart = max(moments) - min(moments) if len(moments) >= MANY - SPARED else SPREAD_SECONDS
    if apart < SPREAD_SECONDS:
        wanted = (
            f"{node.path}: whom {seen.handler} refuses comes back within {RETRY_AFTER_SECONDS:g} s, not all at once"
        )
        broken.append((wanted, f"{node.path}: {len(moments)} came within {apart:.1f} s"))
    return broken
