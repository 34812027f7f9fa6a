"""What travels on the DataChannel: messages between a product on an endpoint and its extension at the server.

The channel is no held connection. A handler tells the agent on its wake-up port that something waits
(`ChannelWaiting`), the agent opens a connection of its own beside the agent-server communication and exchanges
`ChannelExchange` for `ChannelItems` until nothing is left. Source S2 says that the channel is private, goes both ways,
runs beside the ASCI over the ordinary secured connection and counts into a handler's 245 connections (domain §6.3).
How an agent learns that something waits is [uncertain]; an agent that cannot be told (NAT, relay) looks after each of
its own call-ins, as S2 says of Run Client Task Now behind NAT (domain §6.2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from miniepo.errors import MessageError
from miniepo.protocol.version import parse


class ChannelMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a product, in either direction.

    `id` is unique for ever: a message may be delivered more than once and is handled once. `correlation` tells which
    request it belongs to. `expires` is in seconds since the epoch; later nobody wants it.
    """

    id: str
    product: str
    kind: str
    correlation: str = ""
    payload: dict[str, Any] = {}
    expires: float


AGENT_PRODUCT = "EPOAGENT3000"
"""The agent itself as a product; it answers an `echo`."""
MAX_PAYLOAD_BYTES = 32 * 1024
"""What is bigger belongs into a repository."""
MESSAGES_PER_EXCHANGE = 100
"""In either direction."""
BYTES_PER_EXCHANGE = 2 * 1024 * 1024
"""What an agent says at a time; an envelope adds a third, and a handler takes no envelope of more than 4 MiB."""
MAX_NAME_CHARACTERS = 256
"""The longest id, product, kind or correlation."""


_NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def check_payload(payload: dict[str, Any]) -> None:
    """Raise MessageError for a payload that is too big to travel, or has the character NUL, which no table keeps."""
    encoded = msgspec.json.encode(payload)
    if len(encoded) > MAX_PAYLOAD_BYTES:
        raise MessageError(f"a payload of {len(encoded)} bytes; the DataChannel takes {MAX_PAYLOAD_BYTES}")
    if _NUL_IN_JSON.search(encoded):
        raise MessageError("a payload with the character NUL; the DataChannel takes none")


def check_messages(messages: Sequence[ChannelMessage]) -> None:
    """Raise MessageError for more, or for bigger ones, than an agent may say in one exchange, and for any with NUL."""
    if len(messages) > MESSAGES_PER_EXCHANGE:
        raise MessageError(f"{len(messages)} messages in one exchange; the DataChannel takes {MESSAGES_PER_EXCHANGE}")
    for message in messages:
        check_payload(message.payload)
        names = (message.id, message.product, message.kind, message.correlation)
        longest = max(map(len, names))
        if longest > MAX_NAME_CHARACTERS:
            raise MessageError(f"a name of {longest} characters; the DataChannel takes {MAX_NAME_CHARACTERS}")
        if any("\0" in name for name in names):
            raise MessageError("a name with the character NUL; the DataChannel takes none")


def check_taken(ids: Sequence[str]) -> None:
    """Raise MessageError for what cannot be the ids of the items that an agent was given in one exchange."""
    if len(ids) > MESSAGES_PER_EXCHANGE:
        raise MessageError(f"{len(ids)} items taken in one exchange; the DataChannel gives {MESSAGES_PER_EXCHANGE}")
    if any(len(id) > MAX_NAME_CHARACTERS or "\0" in id for id in ids):
        raise MessageError("an item taken that the DataChannel has not given")


class _Message(msgspec.Struct, frozen=True, tag_field="message", kw_only=True):
    """A record of the protocol; unknown fields are ignored so that a newer peer may add some."""


class ChannelWaiting(_Message, frozen=True, tag="channel-waiting"):
    """Handler → agent on the wake-up port, POST `/datachannel`: something waits for you. No content."""

    guid: str


class ChannelExchange(_Message, frozen=True, tag="channel-exchange"):
    """Agent → handler, POST `/spipe/datachannel`.

    `taken` are the ids of items that the agent has on its disk; `messages` are what its products say.
    """

    guid: str
    taken: tuple[str, ...] = ()
    messages: tuple[ChannelMessage, ...] = ()


class ChannelItems(_Message, frozen=True, tag="channel-items"):
    """Handler → agent: what waits for it, and the ids of its messages that the server has.

    What is not in `accepted` stays in the agent's outbox and is sent again.
    """

    items: tuple[ChannelMessage, ...] = ()
    accepted: tuple[str, ...] = ()


def server_tells_handlers(epo_version: str) -> bool:
    """Whether an ePO server of this version connects to its remote handlers to say that something waits (4.5).

    Since 4.6 such notices are messages of the DataChannel themselves and the handlers poll (source S2).
    """
    return parse(epo_version)[:2] == (4, 5)
