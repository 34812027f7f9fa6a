"""Decides how an agent learns that something waits for it on the DataChannel, and when it is told again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from miniepo.handler.delivery import is_translated, names_of, wakeup_port
from miniepo.protocol.version import Behaviour
from miniepo.store.systems import System

TELL_AGAIN_SECONDS = 30.0
"""An agent that took the notice and did not come is told again."""
NOTICE_SECONDS = 5.0
"""For telling one agent by all of its names together: far from the end of the claim (`store.datachannel`)."""
CONNECT_SECONDS = 3.0
LONGEST_CONNECT_SECONDS = 1.5
"""What its names have together, and what one has at most, to take a connection."""
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


def connect_seconds(names: int) -> float:
    """How long each of so many names is waited for."""
    return min(CONNECT_SECONDS / names, LONGEST_CONNECT_SECONDS)


def pause_seconds(attempts: int) -> float:
    """How long an item waits after so many attempts to call the agent; its own call-in may come first."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 10), LONGEST_PAUSE_SECONDS)


@dataclass(frozen=True, slots=True)
class _Failure:
    """So many notices in a row failed, the last one with this reason; until when no other is tried."""

    count: int
    until: float
    reason: str
    last_update: datetime | None


class Unreached:
    """The systems whose last notice failed: what comes for them next must not cost the others the same time again."""

    def __init__(self) -> None:
        self._failures: dict[int, _Failure] = {}

    def failed(self, system: System, reason: str, attempts: int, now: float) -> float:
        """A notice failed, for items that were tried so often; how long the system is left in peace."""
        before = self._failures.get(system.id)
        count = max(attempts, before.count + 1 if before and now < before.until + LONGEST_PAUSE_SECONDS else 1)
        self._failures[system.id] = _Failure(count, now + pause_seconds(count), reason, system.last_update)
        return pause_seconds(count)

    def reached(self, system: System) -> None:
        """A notice got through."""
        self._failures.pop(system.id, None)

    def rest(self, system: System, now: float) -> tuple[float, str]:
        """How long it is still left in peace (0.0: tell it), and why.

        An agent that has called in since may be there again; behind address translation that says nothing.
        """
        failure = self._failures.get(system.id)
        if failure is None or (failure.last_update != system.last_update and not is_translated(system)):
            self.reached(system)
            return 0.0, ""
        return max(0.0, failure.until - now), f"not called again so soon: {failure.reason}"
