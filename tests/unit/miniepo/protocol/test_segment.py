"""What a SuperAgent is told, what it shouts, and which of it is believed."""

import msgspec
import pytest
from nacl.signing import SigningKey

from miniepo.errors import MessageError, RefusedError, SignatureError, StaleEnvelopeError
from miniepo.protocol import signing
from miniepo.protocol.messages import Wakeup
from miniepo.protocol.segment import (
    MAX_DATAGRAM_BYTES,
    SegmentWakeup,
    SuperAgentWakeup,
    heard_as,
    open_for_segment,
    open_for_superagent,
    seal_for_segment,
    seal_for_superagent,
)

KEY = SigningKey(b"k" * 32)
NOW = 5000.0
HERE = "10.2.0.0/24"
ORDER = SegmentWakeup(wakeup_id="w-1", segment=HERE, full_props=True, random_seconds=30)


def datagram(order: SegmentWakeup = ORDER, key: SigningKey = KEY, at: float = NOW) -> bytes:
    return seal_for_segment(order, key, sender="hq/epo", issued_at=at, nonce="n-1")


def test_a_broadcast_says_the_order_and_nothing_else() -> None:
    payload = msgspec.json.decode(signing.open_envelope(datagram()).payload)
    assert payload == {
        "message": "segment-wakeup",
        "wakeup_id": "w-1",
        "segment": HERE,
        "full_props": True,
        "random_seconds": 30,
    }


def test_a_broadcast_fits_into_one_packet() -> None:
    longest = SegmentWakeup(wakeup_id="W" * 36, segment="255.255.255.255/32", full_props=True, random_seconds=86399.25)
    sealed = seal_for_segment(longest, KEY, sender="s" * 31 + "/" + "n" * 15, issued_at=1.7e9 + 0.123, nonce="n" * 32)
    assert len(sealed) < MAX_DATAGRAM_BYTES


def test_the_segment_hears_the_order() -> None:
    assert open_for_segment(datagram(), KEY.verify_key, {HERE, "10.9.0.0/24"}, NOW) == ORDER
    expected = Wakeup(guid="G-1", wakeup_id="w-1", full_props=True, random_seconds=30)
    assert heard_as(ORDER, "G-1") == expected


def resealed(order: SegmentWakeup, recipient: str) -> bytes:
    """A datagram whose envelope is for another than its order, with the server's own signature."""
    payload = msgspec.json.encode(order)
    return signing.seal(payload, KEY, sender="s", recipient=recipient, issued_at=NOW, nonce="n")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (datagram(key=SigningKey(b"x" * 32)), SignatureError),
        (datagram(at=NOW - 301), StaleEnvelopeError),
        (datagram(SegmentWakeup(wakeup_id="w", segment="10.3.0.0/24")), RefusedError),
        (resealed(ORDER, "G-1"), SignatureError),
        (signing.seal(b"{}", KEY, sender="s", recipient=HERE, issued_at=NOW, nonce="n"), MessageError),
        (b'{"discover":"relay","nonce":"n"}', MessageError),
        (b"x" * (MAX_DATAGRAM_BYTES + 1), MessageError),
    ],
    ids=["key", "old", "another segment", "another recipient", "no order", "a discovery", "too long"],
)
def test_nothing_else_is_an_order_for_the_segment(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        open_for_segment(data, KEY.verify_key, {HERE}, NOW)


def order_bytes(guid: str = "G-1", key: SigningKey = KEY, datagram_bytes: bytes = b"d", at: float = NOW) -> bytes:
    order = SuperAgentWakeup(guid=guid, wakeup_id="w-1", datagram=datagram_bytes)
    return seal_for_superagent(order, key, sender="hq/epo", issued_at=at, nonce="n-2")


def test_a_superagent_gets_the_datagram_to_shout() -> None:
    order, nonce = open_for_superagent(order_bytes(datagram_bytes=datagram()), "G-1", KEY.verify_key, NOW)
    assert (order.datagram, order.wakeup_id, nonce) == (datagram(), "w-1", "n-2")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (order_bytes(guid="G-2"), SignatureError),
        (order_bytes(key=SigningKey(b"x" * 32)), SignatureError),
        (order_bytes(at=NOW + 301), StaleEnvelopeError),
        (order_bytes(datagram_bytes=b"x" * (MAX_DATAGRAM_BYTES + 1)), MessageError),
        (datagram(), MessageError),
    ],
    ids=["another's", "key", "future", "too long", "a broadcast"],
)
def test_nothing_else_is_an_order_for_a_superagent(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        open_for_superagent(data, "G-1", KEY.verify_key, NOW)
