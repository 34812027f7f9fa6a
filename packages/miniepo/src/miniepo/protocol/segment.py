"""The SuperAgent wake-up: one order to a SuperAgent, which carries to its segment what the server signed for it.

server → handler → SuperAgent → broadcast in its segment; all agents that hear it and the SuperAgent itself call in;
segments without a SuperAgent are not woken (domain §6.1; MA48 p69, EPO46 p151). The broadcast is no word of the
SuperAgent's own: it has no key that others trust, so it shouts the datagram as it got it. A datagram names the segment
that it is for, because a listener cannot know who else has heard it: replayed into another segment it is refused.
The published sources do not say how a broadcast is protected [uncertain]; the lab signs it as it signs all wake-ups.
"""

from __future__ import annotations

from collections.abc import Collection

import msgspec
from nacl.signing import SigningKey, VerifyKey

from miniepo.errors import MessageError, RefusedError, SignatureError
from miniepo.protocol import signing
from miniepo.protocol.decoding import decoded
from miniepo.protocol.messages import Wakeup

MAX_DATAGRAM_BYTES = 1232
"""What fits into one packet of every line, IPv6's least MTU included."""
PATH = "/superagent/wakeup"


class SuperAgentWakeup(msgspec.Struct, frozen=True, tag_field="message", tag="superagent-wakeup", kw_only=True):
    """Handler → SuperAgent: call in, and shout `datagram` in your segment. No content (domain §6.1)."""

    guid: str
    wakeup_id: str
    datagram: bytes
    full_props: bool = False
    random_seconds: float = 0


class SegmentWakeup(msgspec.Struct, frozen=True, tag_field="message", tag="segment-wakeup", kw_only=True):
    """SuperAgent → its segment: whoever hears this calls in now. No content (domain §6.1)."""

    wakeup_id: str
    segment: str
    full_props: bool = False
    random_seconds: float = 0


_to_superagent = msgspec.json.Decoder(SuperAgentWakeup)
_to_segment = msgspec.json.Decoder(SegmentWakeup)


def seal_for_segment(order: SegmentWakeup, key: SigningKey, *, sender: str, issued_at: float, nonce: str) -> bytes:
    """The datagram that every agent of the segment believes once, for as long as it is fresh."""
    payload = msgspec.json.encode(order)
    return signing.seal(payload, key, sender=sender, recipient=order.segment, issued_at=issued_at, nonce=nonce)


def seal_for_superagent(
    order: SuperAgentWakeup, key: SigningKey, *, sender: str, issued_at: float, nonce: str
) -> bytes:
    """The body of the request to a SuperAgent."""
    payload = msgspec.json.encode(order)
    return signing.seal(payload, key, sender=sender, recipient=order.guid, issued_at=issued_at, nonce=nonce)


def open_for_segment(data: bytes, key: VerifyKey, segments: Collection[str], now: float) -> SegmentWakeup:
    """The order in a datagram; raises a WorldError that says why it is refused. Whether it is new is not looked at."""
    if len(data) > MAX_DATAGRAM_BYTES:
        raise MessageError(f"{len(data)} bytes are more than a broadcast has")
    envelope = signing.open_envelope(data)
    signing.verify(envelope, key, now=now)
    order = decoded(_to_segment, envelope.payload, "a wake-up for a segment")
    if envelope.recipient != order.segment:
        raise SignatureError(f"the broadcast is sealed for {envelope.recipient!r} and meant for {order.segment!r}")
    if order.segment not in segments:
        raise RefusedError("foreign-segment", f"the broadcast is for segment {order.segment}")
    return order


def open_for_superagent(data: bytes, guid: str, key: VerifyKey, now: float) -> tuple[SuperAgentWakeup, str]:
    """The order to a SuperAgent and its nonce; raises a WorldError that says why it is refused."""
    envelope = signing.open_envelope(data)
    signing.verify(envelope, key, now=now)
    order = decoded(_to_superagent, envelope.payload, "a wake-up for a SuperAgent")
    if envelope.recipient != guid or order.guid != guid:
        raise SignatureError(f"the wake-up is for {envelope.recipient}, not for this agent")
    if len(order.datagram) > MAX_DATAGRAM_BYTES:
        raise MessageError(f"{len(order.datagram)} bytes are more than a broadcast has")
    return order, envelope.nonce


def heard_as(order: SegmentWakeup | SuperAgentWakeup, guid: str) -> Wakeup:
    """What the order means to one agent: a wake-up like any other."""
    return Wakeup(
        guid=guid, wakeup_id=order.wakeup_id, full_props=order.full_props, random_seconds=order.random_seconds
    )
