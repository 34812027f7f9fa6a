"""Decides how an agent learns that something waits for it on the DataChannel, and when it is told again. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from miniepo.handler.delivery import names_of, wakeup_port
from miniepo.protocol.version import Behaviour
from miniepo.store.systems import System

TELL_AGAIN_SECONDS = 30.0
"""An agent that took the notice and did not come is told again."""
FIRST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Tell:
    """Call the agent's wake-up port by these names in turn."""

    names: tuple[str, ...]
    port: int


@dataclass(frozen=True, slots=True)
class LeaveWaiting:
    """The agent cannot be called: it looks after its own next call-in."""

    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It will never look."""

    reason: str


def decide(system: System | None) -> Tell | LeaveWaiting | GiveUp:
    """What can be done for an item whose target is this system."""
    if system is None or system.guid is None:
        return GiveUp("the system has no agent")
    if not Behaviour.of(system.version or "").datachannel:
        return GiveUp(f"agent {system.version} has no DataChannel, it came with 4.5")
    if system.via_relay:
        return LeaveWaiting(f"behind relay {system.via_relay}: it looks after its own next call-in")
    names = names_of(system)
    return Tell(names, wakeup_port(system)) if names else LeaveWaiting("it has no known address")


def pause_seconds(attempts: int) -> float:
    """How long an item waits after so many attempts to call the agent; its own call-in may come first."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 10), LONGEST_PAUSE_SECONDS)
