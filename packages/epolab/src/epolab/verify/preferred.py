"""Who does work for an agent when any handler may: the one that it talked to last, or the first that asks without it.

Seen by wake-ups with "use all handlers" (domain §4, source S2), only where handler groups are declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.callins import server_time
from epolab.verify.drawing import call_in
from epolab.verify.segment_plan import NOTHING, Told
from epolab.verify.wake_orders import order
from epolab.verify.witness import Witness

ROUNDS = 2
BY_ANY = {"useAllHandlers": "true", "abortAfterMinutes": "0.25"}
_BY = re.compile(r"(\S+) woke \S+ at ")

Broken = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Brought:
    """A wake-up that any handler might bring: those (paths) that the agent may have talked to last, and the log."""

    last: frozenset[str]
    told: Told


def shared(topology: Topology) -> list[Node]:
    """The agents that several handlers may call."""
    if not topology.management.handler_groups:
        return []
    direct = [node for node in facts.agents(topology) if not facts.needs_relay(topology, node)]
    return [node for node in direct if len(facts.wakers(topology, node)) > 1]


def wake_by_any(witness: Witness, nodes: Sequence[Node]) -> dict[str, Told]:
    """Wake these agents, by whichever handler; what the log says of each, by path."""
    if not nodes:
        return {}
    log = order(witness, [node.fqdn for node in nodes], BY_ANY)[1]
    return {node.path: log.get(node.fqdn, NOTHING) for node in nodes}


def observe(witness: Witness, nodes: Sequence[Node]) -> dict[str, list[Brought]]:
    """Let these agents call in and wake them at once, several times; by path."""
    seen: dict[str, list[Brought]] = {node.path: [] for node in nodes}
    for _ in range(ROUNDS if nodes else 0):
        began = server_time(witness)
        call_in(witness, witness.topology, nodes, 1)
        ordered = server_time(witness)
        told = wake_by_any(witness, nodes)
        rows = witness.api("miniepo.listCallins", since=str(began))
        for node in nodes:
            own = [row for row in rows if row["fqdn"] == node.fqdn]
            seen[node.path].append(Brought(last_handlers(own, ordered, told[node.path].wakeup_id), told[node.path]))
    return seen


def last_handlers(calls: Iterable[Mapping[str, Any]], ordered: float, wakeup_id: str) -> frozenset[str]:
    """The handlers that an agent may have talked to last when its wake-up was planned, some time after `ordered`: that
    of its newest call-in then, and those of call-ins that came before the wake-up's own."""
    rows = sorted(calls, key=lambda row: float(row["received"]))
    before = [row["handler"] for row in rows if row["received"] < ordered]
    end = next((row["received"] for row in rows if wakeup_id and row["wakeup_id"] == wakeup_id), float("inf"))
    return frozenset(before[-1:] + [row["handler"] for row in rows if ordered <= row["received"] < end])


def bringer(told: Told) -> str:
    """The handler (path) that brought a wake-up, by the log; "" if none did."""
    found = _BY.search(told.message)
    return found[1] if found and told.state == "Completed" else ""


def wrong_preference(path: str, seen: Sequence[Brought]) -> Broken:
    """What is wrong with who woke an agent while all its handlers were there, as (expected, observed)."""
    return [
        (
            f"{path}: is woken by {' or '.join(sorted(each.last)) or 'a handler'}, which it talked to last",
            f"{path}: {each.told.state or 'nothing'}: {each.told.message}",
        )
        for each in seen
        if bringer(each.told) not in each.last
    ]


def wrong_deputy(topology: Topology, path: str, away: str, told: Told) -> Broken:
    """What is wrong with who woke an agent while a handler (path) was stopped, as (expected, observed)."""
    others = [h.path for h in facts.wakers(topology, topology.node(path)) if h.path != away]
    if bringer(told) in others:
        return []
    wanted = f"{path}: is woken by {' or '.join(others)} while {away} does not serve, as any handler may"
    return [(wanted, f"{path}: {told.state or 'nothing'}: {told.message}")]
