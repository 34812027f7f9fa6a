"""Which relay an agent uses, and which relays can be taken from their agents together (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.callins import CallIn


def current_again(topology: Topology, before: Mapping[str, str], calls: Mapping[str, CallIn | None]) -> dict[str, str]:
    """The relay (path) that each agent (path) uses after it was started anew; the one before if no other can be
    stopped."""
    now = dict(before)
    for path, call in calls.items():
        relay = named(topology, topology.node(path), call.relay if call else None)
        if relay is not None and stoppable(topology, relay, {**before, path: relay}):
            now[path] = relay
    return now


def stoppable(topology: Topology, relay: str, current: Mapping[str, str]) -> bool:
    """Whether every agent that uses a relay (path) has another one."""
    users = [topology.node(path) for path, used in current.items() if used == relay]
    return all(len(facts.relays_for(topology, user)) > 1 for user in users)


def current_relay(topology: Topology, node: Node, seen: Mapping[str, Any]) -> str | None:
    """The relay (node path) through which an agent called in last, by its status; None for a relay that has no name."""
    return named(topology, node, (seen["last_handler"] or {}).get("via_relay"))


def named(topology: Topology, node: Node, name: str | None) -> str | None:
    """The relay (path) of this name that an agent may use; None if it may use none of that name."""
    return next((relay.path for relay in facts.relays_for(topology, node) if relay.name == name), None)


def rounds(topology: Topology, current: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Which relays (paths) can be stopped together, so that every agent keeps another one; `current` by agent."""
    found: list[tuple[str, ...]] = []
    for relay in dict.fromkeys(current.values()):
        if not stoppable(topology, relay, current):
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
