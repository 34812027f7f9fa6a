"""Which agents are woken while `up` waits for them, because their own time to call in is too far away."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology

RARE_SECONDS = 30.0
# whoever calls in often is left to its own time; it may still live by the long interval of an earlier declaration
PATIENCE_RARE_SECONDS, PATIENCE_SECONDS = 5.0, 45.0
AGAIN_SECONDS = 30.0


@dataclass(slots=True)
class Waker:
    """Whom to wake, and when the last wake-up was: when it began, until somebody says when it ended."""

    topology: Topology
    last: float | None = None

    def due(self, waiting: Collection[str], waited_seconds: float) -> list[Node]:
        """Those of the agents waited for, by their full names, that are woken now: once in a while, and again."""
        if self.last is not None and waited_seconds < self.last + AGAIN_SECONDS:
            return []
        nodes = [
            node
            for node in facts.agents(self.topology)
            if node.fqdn in waiting and waited_seconds >= patience(node) and facts.wakers(self.topology, node)
        ]
        if nodes:
            self.last = waited_seconds
        return nodes


def patience(node: Node) -> float:
    """How long an agent is left to call in by itself."""
    return PATIENCE_RARE_SECONDS if node.asci_seconds >= RARE_SECONDS else PATIENCE_SECONDS


def unreached(topology: Topology) -> list[Node]:
    """The agents that no handler's wake-up gets to, such as those behind relays."""
    return [node for node in facts.agents(topology) if not facts.wakers(topology, node)]
