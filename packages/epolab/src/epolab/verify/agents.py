"""What an agent on a node says of itself: its status file, its port, and waiting for what it should become."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from epolab.errors import TimeoutExceededError, WorldError
from epolab.hands.until import until
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import AGENT_WAKEUP
from epolab.model.topology import Topology
from epolab.verify.witness import Ran, Witness

STATUS = "/var/lib/miniepo/agent/status.json"
UPDATE = "runuser -u mfeagent -- miniepo ctl update"


def status(witness: Witness, path: str) -> dict[str, Any]:
    """The agent's status file; WorldError when it has none."""
    document: dict[str, Any] = json.loads(witness.must(path, f"cat {STATUS}"))
    return document


def update(witness: Witness, path: str) -> str:
    """Have an agent update now; why it did not, empty if it did."""
    return complaint_of(witness.run(path, UPDATE, "update"))


def complaint_of(ran: Ran) -> str:
    """Why an update that was ordered did not succeed, empty if it did."""
    return (ran.stderr.strip() or f"it ended with {ran.code}") if ran.code else ""


def reply_of(ran: Ran) -> dict[str, Any]:
    """The reply to the order: an update that failed has one too, an order that was not obeyed has none."""
    reply: dict[str, Any] = json.loads(ran.stdout or "{}")
    return reply


def port_of(topology: Topology, node: Node) -> int:
    """The TCP port the agent is called on, by its policy."""
    policy = facts.policies_of(topology, node).get("agent")
    port = policy.settings.get("wakeupPort", AGENT_WAKEUP) if policy else AGENT_WAKEUP
    return port if isinstance(port, int) else AGENT_WAKEUP


def becomes(
    witness: Witness, path: str, condition: Callable[[dict[str, Any]], bool], limit_seconds: float
) -> dict[str, Any] | None:
    """The agent's status as soon as a condition holds of it; None when it does not within the limit."""
    seen: dict[str, Any] = {}

    def holds() -> bool:
        nonlocal seen
        try:
            seen = status(witness, path)
        except WorldError:
            return False
        return condition(seen)

    try:
        until(holds, what=f"{path} becomes what it should", limit_seconds=limit_seconds, pause_seconds=0.25)
    except TimeoutExceededError:
        return None
    return seen
