"""Which of its handlers an agent tries first, and when it comes back to one that had no connection to spare.

Handlers that share an `Order` in the site list are equals, and the agent draws among them (domain §4: *use all Agent
Handlers*, the agent picks randomly). No source says whether it draws once or each time [uncertain]: here at each
communication, so that the load spreads anew after a handler was away; with `draw_handlers_once` in agent.json the
agent's GUID decides once and for all.

A handler at its limit of connections (domain §1.1) says when to come back. Then the next handler is tried first, each
time after a random pause, so that agents that were refused together do not come back together. Events in, commands
out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from miniepo.protocol.sitelist import Site

ROUNDS = 6
"""How often every handler is asked before the agent waits for its next ASCI; as many as for a connection (§4)."""
LONGEST_PAUSE_SECONDS = 60.0

Draw = Callable[[float, float], float]
"""A number between two others, at random."""


@dataclass(frozen=True, slots=True)
class HandlerFull:
    """This handler has no connection to spare; so many seconds are left until the next ASCI is near."""

    handler: str
    retry_after_seconds: float
    seconds_left: float


@dataclass(frozen=True, slots=True)
class Open:
    """Open a line to the first of these that answers."""

    handlers: tuple[Site, ...]


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, then go on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It is over until the next ASCI."""

    reason: str


Command = Open | Pause | GiveUp


def drawn(handlers: Sequence[Site], draw: Draw) -> tuple[Site, ...]:
    """The handlers in the order of the list, equals in a random one."""
    keyed = sorted(((site.order, draw(0.0, 1.0), place) for place, site in enumerate(handlers)))
    return tuple(handlers[place] for _, _, place in keyed)


def drawn_once(handlers: Sequence[Site], guid: str) -> tuple[Site, ...]:
    """The same, but an agent's GUID draws: always the same order for one agent, another one for the next."""
    return tuple(
        sorted(handlers, key=lambda site: (site.order, hashlib.sha256(f"{guid} {site.name}".encode()).digest()))
    )


class HandlerChoice:
    """The handlers of one communication in their order, from the first try to the last."""

    def __init__(self, handlers: Sequence[Site], draw: Draw) -> None:
        self._handlers = tuple(handlers)
        self._draw = draw
        self._full: list[str] = []

    def start(self) -> list[Command]:
        """The first try."""
        return [Open(self._handlers)]

    def receive(self, event: HandlerFull) -> list[Command]:
        """What to do after a refusal."""
        self._full.append(event.handler)
        if len(self._full) >= ROUNDS * max(1, len(self._handlers)):
            return [GiveUp(f"every handler was full {ROUNDS} times")]
        turned = self._after(event.handler)
        pause = self._pause(turned, event.retry_after_seconds)
        if pause >= event.seconds_left:
            return [GiveUp("every handler is full, and the next call-in is near")]
        return [Pause(pause), Open(turned)]

    def _after(self, name: str) -> tuple[Site, ...]:
        """The list, turned so that the handler after this one comes first."""
        names = [site.name for site in self._handlers]
        place = names.index(name) + 1 if name in names else 0
        return (*self._handlers[place:], *self._handlers[:place])

    def _pause(self, turned: tuple[Site, ...], retry_after_seconds: float) -> float:
        """Short before a handler that has not refused yet; then from what it asked for up to twice, four times that."""
        refusals = self._full.count(turned[0].name) if turned else 0
        if not refusals:
            return min(self._draw(0.0, retry_after_seconds), LONGEST_PAUSE_SECONDS)
        longest = min(retry_after_seconds * 2**refusals, LONGEST_PAUSE_SECONDS)
        return self._draw(min(retry_after_seconds, longest), longest)
