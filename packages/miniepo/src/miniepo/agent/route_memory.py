"""What an agent remembers of the ways it tried: which handlers did not answer, and its relays in order (pure).

The relay in front is the current one. One that is gone, has no room, refuses a site or cannot reach it goes to the end,
so that the next cached one is the current one (domain §5, source S1); it may come back at a later turn. The memory lies
on the disk: it outlives the agent's process.
"""

from __future__ import annotations

from collections.abc import Sequence

from miniepo.agent.routes import Way
from miniepo.agent.state import Routing
from miniepo.errors import MiniepoError, RefusedError, UnreachableError
from miniepo.protocol.discovery import Relay, RelayCache
from miniepo.protocol.relay_session import TOO_MANY
from miniepo.protocol.sitelist import Site

_OF_THE_RELAY = frozenset({TOO_MANY, "not-listed", "bad-request"})
"""Refusals that say something about the relay, not about the handler behind it."""


def leaves_relay(way: Way, error: MiniepoError) -> bool:
    """Whether nothing else is to be tried through this relay now: it does not answer, or has no room."""
    refused = isinstance(error, RefusedError) and error.code == TOO_MANY
    return way.relay is not None and (refused or isinstance(error, UnreachableError))


def after_failure(routing: Routing, way: Way, handlers: Sequence[Site], error: MiniepoError) -> Routing:
    """What is remembered once a way has failed."""
    relays, unreachable = routing.relays, routing.unreachable
    if way.relay is not None:
        relays = RelayCache(relays).failed(way.relay.guid).relays
    if way.relay is None or not _is_of_the_relay(error):
        unreachable = (*_without(unreachable, way, handlers), way.memory)
    return Routing(relays, unreachable, routing.last_handler)


def _is_of_the_relay(error: MiniepoError) -> bool:
    return isinstance(error, UnreachableError) or (isinstance(error, RefusedError) and error.code in _OF_THE_RELAY)


def after_success(routing: Routing, way: Way, handlers: Sequence[Site]) -> Routing:
    """What is remembered once a way has led to its handler: its relay is the current one."""
    relays = routing.relays
    if way.relay is not None:
        others = tuple(each for each in relays if each.guid != way.relay.guid)
        relays = RelayCache((way.relay, *others)).add(()).relays
    return Routing(relays, _without(routing.unreachable, way, handlers), way.handler.name)


def after_discovery(routing: Routing, found: Sequence[Relay]) -> Routing:
    """What is remembered once relays have answered: the first five unique ones."""
    return Routing(RelayCache(routing.relays).add(tuple(found)).relays, routing.unreachable, routing.last_handler)


def _without(unreachable: Sequence[str], way: Way, handlers: Sequence[Site]) -> tuple[str, ...]:
    """What else is remembered, as far as it still concerns handlers of the list."""
    listed = {each.memory for handler in handlers for each in (Way(handler), Way(handler, way.relay))}
    return tuple(word for word in unreachable if word in listed and word != way.memory)
