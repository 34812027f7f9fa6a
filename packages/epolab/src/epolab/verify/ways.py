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

    Straight these are the handlers of the first tier of its list in which it reaches one: among equals it draws. Else
    each relay that answers is right, with those of the agent's list that this relay reaches and lists.
    """
    for tier in facts.handler_tiers(topology, node):
        direct = [h for h in tier if h.path not in without and facts.reachable(topology, node, h, "tcp", HTTPS)]
        if direct:
            return tuple(Way(handler.path) for handler in direct)
    relays = facts.relays_for(topology, node)
    return tuple(way for relay in relays for way in _through(topology, node, relay, without))


def _through(topology: Topology, node: Node, relay: Node, without: Collection[str]) -> tuple[Way, ...]:
    if relay.path in without:
        return ()
    listed = {handler.path for handler in facts.handler_order(topology, relay)} - set(without)
    for tier in facts.handler_tiers(topology, node):
        found = [h for h in tier if h.path in listed and facts.reachable(topology, relay, h, "tcp", HTTPS)]
        if found:
            return tuple(Way(handler.path, relay.name) for handler in found)
    return ()


def goes(call: CallIn, right: Collection[Way]) -> bool:
    """Whether a call-in took one of these ways."""
    return Way(call.handler, call.relay) in right


def in_words(right: Collection[Way]) -> str:
    """Several ways for people."""
    return " or ".join(way.text for way in right) or "no handler at all"


def limit_seconds(nodes: Collection[Node], intervals: float = 3.0) -> float:
    """How long it may take until each of these agents has done what it does at a call-in."""
    return intervals * max((node.asci_seconds for node in nodes), default=0.0) + SLACK_SECONDS
