"""Whom a SuperAgent wake-up reaches by the topology, and how the Server Task Log must tell it (pure)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology

_WAKEUP = re.compile(r"\(wake-up ([0-9A-F-]{36})\)")
NO_SUPERAGENT = "there is no SuperAgent in its segment"
OWN_ASCI = "it will be reached at its own ASCI"


@dataclass(frozen=True, slots=True)
class Told:
    """What the Server Task Log says of one system: its subtask's state, and the message about it."""

    state: str
    message: str

    @property
    def wakeup_id(self) -> str:
        """The id of the wake-up that was meant for the system; empty when none was sent."""
        found = _WAKEUP.search(self.message)
        return found[1] if found else ""


NOTHING = Told("", "")


def segment(node: Node) -> str | None:
    """The segment by whose addresses an agent is known to the server: that of its first interface."""
    return node.interfaces[0].segment


def shouting(topology: Topology, absent: Collection[str] = ()) -> tuple[Node, ...]:
    """The SuperAgents that a handler can call, and that run."""
    return tuple(
        node for node in facts.superagents(topology) if facts.wakers(topology, node) and node.path not in absent
    )


def shouted_to(topology: Topology, node: Node, absent: Collection[str] = ()) -> bool:
    """Whether an agent hears a SuperAgent's broadcast, or is one that is called."""
    return any(segment(sa) == segment(node) for sa in shouting(topology, absent) if segment(sa) is not None)


def has_superagent(topology: Topology, node: Node) -> bool:
    """Whether the server knows of a SuperAgent in an agent's segment, reachable or not."""
    return any(segment(sa) == segment(node) for sa in facts.superagents(topology) if segment(sa) is not None)


def listeners(topology: Topology, superagent: Node, absent: Collection[str] = ()) -> tuple[Node, ...]:
    """The other agents of a SuperAgent's segment that run; not those that share a node with a relay's process."""
    others = [node for node in facts.agents(topology) if node.path != superagent.path and node.path not in absent]
    return tuple(node for node in others if segment(node) == segment(superagent))


def unreachable(topology: Topology) -> tuple[Node, ...]:
    """The agents that no handler can call, because they are behind a relay or behind address translation."""
    return tuple(node for node in facts.agents(topology) if not facts.wakers(topology, node))


def told(subtasks: Iterable[Mapping[str, Any]], messages: Iterable[Mapping[str, Any]]) -> dict[str, Told]:
    """What the log says of each system, by its full name."""
    lines = {row["subtask"]: str(row["message"]) for row in messages if row["subtask"]}
    return {row["computerName"]: Told(row["state"], lines.get(row["computerName"], "")) for row in subtasks}


def woken(calls: Iterable[Mapping[str, Any]], fqdn: str) -> list[str]:
    """The ids of the wake-ups after which an agent called in, one for each call-in."""
    return [str(call["wakeup_id"]) for call in calls if call["fqdn"] == fqdn and call["reason"] == "wakeup"]
