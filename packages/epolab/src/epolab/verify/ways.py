"""Where an agent should call in: its handlers in their order, straight, else through the relays of its segments."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import HTTPS
from epolab.model.topology import Topology
from epolab.verify.callins import CallIn

# what an agent may need on top of its interval: a round of attempts that are not answered, and a slow session
SLACK_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Way:
    """A handler (node path), straight or through a relay (computer name)."""

    handler: str
    relay: str | None = None

    @property
    def text(self) -> str:
        """The way for people."""
        return f"{self.handler} through relay {self.relay}" if self.relay else self.handler


def ways(topology: Topology, node: Node, without: Collection[str] = ()) -> tuple[Way, ...]:
    """The ways that are right for an agent while the nodes `without` (paths) do not serve.

    Straight there is one right way, the first handler of its list that it reaches. Else each relay that answers is
    right, with the first handler of the agent's list that this relay reaches and lists.
    """
    direct = [handler for handler in facts.direct_handlers(topology, node) if handler.path not in without]
    if direct:
        return (Way(direct[0].path),)
    found = [_through(topology, node, relay, without) for relay in facts.relays_for(topology, node)]
    return tuple(way for way in found if way is not None)


def _through(topology: Topology, node: Node, relay: Node, without: Collection[str]) -> Way | None:
    if relay.path in without:
        return None
    listed = {handler.path for handler in facts.handler_order(topology, relay)}
    for handler in facts.handler_order(topology, node):
        serves = handler.path in listed and handler.path not in without
        if serves and facts.reachable(topology, relay, handler, "tcp", HTTPS):
            return Way(handler.path, relay.name)
    return None


def goes(call: CallIn, right: Collection[Way]) -> bool:
    """Whether a call-in took one of these ways."""
    return Way(call.handler, call.relay) in right


def in_words(right: Collection[Way]) -> str:
    """Several ways for people."""
    return " or ".join(way.text for way in right) or "no handler at all"


def limit_seconds(nodes: Collection[Node], intervals: float = 3.0) -> float:
    """How long it may take until each of these agents has done what it does at a call-in."""
    return intervals * max((node.asci_seconds for node in nodes), default=0.0) + SLACK_SECONDS
