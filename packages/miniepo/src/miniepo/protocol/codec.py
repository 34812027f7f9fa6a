"""How a message becomes bytes and comes back: JSON, typed, with one error for everything that is no message."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from miniepo.protocol import messages
from miniepo.protocol.decoding import decoded

_encoder = msgspec.json.Encoder()
_from_agent: msgspec.json.Decoder[messages.FromAgent] = msgspec.json.Decoder(messages.FromAgent)
_to_agent: msgspec.json.Decoder[messages.ToAgent] = msgspec.json.Decoder(messages.ToAgent)


def encode(message: messages.FromAgent | messages.ToAgent) -> bytes:
    """The bytes of any message."""
    return _encoder.encode(message)


def decode_from_agent(data: bytes) -> messages.FromAgent:
    """What an agent said; raises MessageError."""
    return decoded(_from_agent, data, "a message of an agent")


def decode_to_agent(data: bytes) -> messages.ToAgent:
    """What a handler said; raises MessageError."""
    return decoded(_to_agent, data, "a message of a handler")


def version_of(value: Any) -> str:
    """A version string for any plain value: equal values have equal versions, whatever the order of their keys."""
    canonical = msgspec.json.encode(value, order="deterministic")
    return hashlib.sha256(canonical).hexdigest()[:16]
