"""How a wake-up of an agent that is hard to reach must go: by which names, how often, how far apart, until when (pure).

The names are tried in the order FQDN, NetBIOS, IP; attempts, the pause between them and the end are the caller's
options (domain §6.1, source S2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.segment_plan import Told

ATTEMPTS = 3
RETRY_SECONDS = 1.5
ABORT_SECONDS = 4.0
LATE_SECONDS = 5.0
"""What a handler may need on top: it looks for work every second, and machines are busy."""
_EARLY_SECONDS = 0.05
_PLACE = re.compile(r" woke \S+ at (\S+) \(wake-up ")

Broken = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Tries:
    """One wake-up of an agent whose port refuses everybody: what the log says, and when handlers tried.

    `took` is how long the order took; `at` are seconds since the epoch, one for each attempt.
    """

    told: Told
    took: float
    at: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Trials:
    """What became of an agent's wake-ups: `named` with none, one and two of its names leading nowhere; then with its
    port closed all the time, closed longer than the order lives, and opened after the first attempt."""

    named: tuple[Told, ...]
    given_up: Tries
    aborted: Tries
    opened: Tries
    callins: int
    """After the last one."""


def tried(topology: Topology) -> tuple[str, ...]:
    """The agent (node path) that is made hard to reach: a plain one that no other lives by and handlers call; only
    where handler groups are declared, because it disturbs."""
    if not topology.management.handler_groups:
        return ()
    lone = [node for node in facts.agents(topology) if node.components == ("agent",) and node.kind == "container"]
    return tuple(node.path for node in lone if facts.wakers(topology, node))[:1]


def out_of_order(node: Node, message: str) -> str:
    """What is wrong with the names by which an agent was looked for in vain, by the log's message; "" if nothing."""
    wanted = (node.fqdn, node.name, str(node.ipv4))
    places = [re.search(rf"(?<![\w.-]){re.escape(name)}:\d", message) for name in wanted]
    missing = [name for name, place in zip(wanted, places, strict=True) if place is None]
    if missing:
        return f"not tried: {', '.join(missing)}"
    starts = [place.start() for place in places if place is not None]
    return "" if starts == sorted(starts) else "tried in another order"


def wrong_names(node: Node, port: int, named: Sequence[Told]) -> Broken:
    """What is wrong with the names by which an agent was found."""
    names = (node.fqdn, node.name, str(node.ipv4))
    broken = []
    for name, lost, told in zip(names, ("", node.fqdn, f"{node.fqdn} and {node.name}"), named, strict=True):
        place = _PLACE.search(told.message)
        if told.state != "Completed" or place is None or place[1] != f"{name}:{port}":
            wanted = f"{node.path}: is woken at {name}:{port}" + (f" while {lost} leads nowhere" if lost else "")
            broken.append((wanted, f"{node.path}: {told.state}: {told.message}"))
    return broken


def wrong_attempts(path: str, seen: Tries) -> Broken:
    """What is wrong with how often, and how far apart, a closed port was tried."""
    wanted = f"{path}: is tried {ATTEMPTS} times, {RETRY_SECONDS:g} s apart, before its wake-up counts as Failed"
    gaps = [later - earlier for earlier, later in zip(seen.at, seen.at[1:], strict=False)]
    right = all(RETRY_SECONDS - _EARLY_SECONDS <= gap <= RETRY_SECONDS + LATE_SECONDS for gap in gaps)
    if seen.told.state == "Failed" and len(seen.at) == ATTEMPTS and right:
        return []
    apart = ", ".join(f"{gap:.1f} s" for gap in gaps) or "none"
    return [(wanted, f"{path}: {len(seen.at)} attempts, pauses {apart}; {seen.told.state}: {seen.told.message}")]


def wrong_abort(path: str, seen: Tries) -> Broken:
    """What is wrong with a wake-up whose time was over before its attempts were."""
    wanted = f"{path}: its wake-up is given up as Ended after {ABORT_SECONDS:g} s, between two attempts"
    in_time = ABORT_SECONDS <= seen.took <= ABORT_SECONDS + LATE_SECONDS
    if seen.told.state == "Ended" and in_time and len(seen.at) > 1:
        return []
    told = f"{path}: {seen.told.state} after {seen.took:.1f} s and {len(seen.at)} attempts: {seen.told.message}"
    return [(wanted, told)]


def wrong_opening(path: str, seen: Tries, callins: int) -> Broken:
    """What is wrong with a wake-up that found the port open at a later attempt."""
    if seen.told.state == "Completed" and len(seen.at) > 1 and callins == 1:
        return []
    told = f"{path}: {seen.told.state} after {len(seen.at)} attempts, {callins} call-ins: {seen.told.message}"
    return [(f"{path}: is woken by a later attempt, once its port is open, and calls in once", told)]


def attempts_in(log: str) -> list[float]:
    """When attempts ended, by a handler's log lines, in seconds since the epoch."""
    return [datetime.fromisoformat(line.split(" ", 1)[0]).timestamp() for line in log.splitlines() if line]
