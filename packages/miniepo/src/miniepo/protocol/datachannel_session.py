"""The agent's half of one visit to the DataChannel, as events in and commands out.

The agent tells what it has on its disk and what its products say; the handler gives what waits and tells what the
server has. It ends when neither has anything more. Items come at least once: one that was seen before is taken again,
so that the handler stops offering it, and kept once; also one whose time is over by the agent's clock, for its product
may want to say so.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass

import msgspec

from miniepo.protocol.datachannel import (
    BYTES_PER_EXCHANGE,
    MESSAGES_PER_EXCHANGE,
    ChannelExchange,
    ChannelItems,
    ChannelMessage,
)
from miniepo.protocol.filling import first_that_fit


@dataclass(frozen=True, slots=True)
class Say:
    """Send this to the handler; its answer is the next event."""

    exchange: ChannelExchange


@dataclass(frozen=True, slots=True)
class Keep:
    """Put these items on the disk before anything else is said."""

    items: tuple[ChannelMessage, ...]


@dataclass(frozen=True, slots=True)
class Forget:
    """Remove these messages from the outbox: the server has them, or their time is over."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finish:
    """The visit is over; `left` messages stay in the outbox because the server does not have them."""

    left: int = 0


Command = Say | Keep | Forget | Finish


class ChannelSession:
    """One visit. `seen` are the ids of items that were kept before."""

    def __init__(self, guid: str, outbox: Sequence[ChannelMessage], seen: Container[str], now: float) -> None:
        self._guid = guid
        self._expired = tuple(message.id for message in outbox if message.expires <= now)
        self._outbox = [message for message in outbox if message.expires > now]
        self._known = {message.id for message in outbox}
        self._seen = seen
        self._now = now
        self._kept: set[str] = set()
        self._taken: set[str] = set()
        self._said: tuple[str, ...] = ()
        self._left = 0

    def start(self) -> list[Command]:
        """The first commands."""
        return [*self._forget(self._expired), self._say(())]

    def receive(self, answer: ChannelItems) -> list[Command]:
        """What to do about the handler's answer."""
        accepted = tuple(id for id in self._said if id in answer.accepted)
        self._left += len(self._said) - len(accepted)
        fresh = tuple(item for item in answer.items if self._is_fresh(item))
        self._kept |= {item.id for item in fresh}
        taken = tuple(dict.fromkeys(item.id for item in answer.items if item.id not in self._taken))
        self._taken |= set(taken)
        if self._left:
            self._left += len(self._outbox)
            self._outbox = []
        more = taken or self._outbox
        keep: list[Command] = [Keep(fresh)] if fresh else []
        return [*self._forget(accepted), *keep, self._say(taken) if more else Finish(self._left)]

    def fill(self, exchange: ChannelExchange, outbox: Sequence[ChannelMessage]) -> ChannelExchange:
        """The same exchange with what products have said since the visit began: it need not wait for the next one, but
        overtakes nothing."""
        if self._left or self._outbox:
            return exchange
        fresh = [message for message in outbox if message.id not in self._known and message.expires > self._now]
        said = _first_that_fit((*exchange.messages, *fresh))
        self._said = tuple(message.id for message in said)
        self._known |= set(self._said)
        return msgspec.structs.replace(exchange, messages=said)

    def _is_fresh(self, item: ChannelMessage) -> bool:
        return item.id not in self._seen and item.id not in self._kept

    def _say(self, taken: tuple[str, ...]) -> Say:
        said = _first_that_fit(self._outbox)
        self._outbox = self._outbox[len(said) :]
        self._said = tuple(message.id for message in said)
        return Say(ChannelExchange(guid=self._guid, taken=taken, messages=said))

    @staticmethod
    def _forget(ids: tuple[str, ...]) -> list[Command]:
        return [Forget(ids)] if ids else []


def _first_that_fit(messages: Sequence[ChannelMessage]) -> tuple[ChannelMessage, ...]:
    """What an agent says of them in one exchange."""
    return first_that_fit(messages, MESSAGES_PER_EXCHANGE, BYTES_PER_EXCHANGE)
