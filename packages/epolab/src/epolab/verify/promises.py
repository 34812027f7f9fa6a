"""What a lab promises: the names of the promises, in the order they are checked, and what each one needs to apply."""

from __future__ import annotations

import re
from dataclasses import dataclass

from epolab.model import facts
from epolab.model.topology import Topology


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise of the verdict; `needs` says what a topology must have for it to apply."""

    name: str
    text: str
    needs: str

    @property
    def module(self) -> str:
        """The acceptance file that holds the promise."""
        return f"test_{self.name.replace('-', '_')}.py"


PROMISES = (
    Promise(
        "iptables", "firewall exceptions stand, stand in order, and work, in both families", "an agent, or a swarm"
    ),
    Promise(
        "port-8081",
        "the agent's port shows its log, obeys real wake-ups and refuses forged ones",
        "an agent, or a swarm",
    ),
    Promise("replication", "content reaches every repository once, and agents take it from there", "a repository"),
    Promise("relay", "agents that reach no handler live through a relay", "a relay, or an agent that needs one"),
    Promise("handlers", "agents use their handler, move when it stops, and come back", "a handler"),
    Promise(
        "communication", "agents talk to handlers in order, by their site list and version", "an agent, or a swarm"
    ),
    Promise("datachannel", "messages of products go round beside the call-ins, and none gets stuck", "a handler"),
    Promise(
        "run-now",
        "a task runs at once on whoever can be told, else after the next call-in, and once",
        "an agent, or a swarm",
    ),
    Promise(
        "wake-up",
        "agents are called by their names in order, SuperAgents wake their segments and no others, pushes install",
        "an agent, or a swarm",
    ),
    Promise("wan", "each link is what the topology declares", "a WAN link"),
    Promise("isolation", "nothing of the lab is in the host's network, or in another lab's", "a lab"),
)
NAMES = tuple(promise.name for promise in PROMISES)


def applies(promise: str, topology: Topology) -> bool:
    """Whether the topology has anything the promise is about."""
    called = bool(facts.agents(topology) or facts.swarms(topology))
    has = {
        "iptables": called,
        "port-8081": called,
        "replication": bool(facts.repositories(topology)),
        "relay": bool(facts.relays(topology)) or any(facts.needs_relay(topology, n) for n in facts.agents(topology)),
        "handlers": bool(facts.handlers(topology)),
        "communication": called,
        "datachannel": bool(facts.handlers(topology)),
        "run-now": called,
        "wake-up": called,
        "wan": bool(topology.links),
        "isolation": True,
    }
    return has[promise]


def choose(expression: str | None) -> tuple[tuple[str, ...], str | None]:
    """Which promises `-k EXPR` names, and what is left of it for pytest.

    `relay` or `relay or wan` names promises, never node names that contain the word; any other expression goes to
    pytest as it is, over all promises.
    """
    if not expression:
        return NAMES, None
    words = re.split(r"\s+or\s+|\s*,\s*", expression.strip())
    if all(word in NAMES for word in words):
        return tuple(name for name in NAMES if name in words), None
    return NAMES, expression
