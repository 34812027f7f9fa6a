"""How a message becomes bytes and comes back: JSON, typed, with one error for everything that is no message."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from miniepo.protocol import messages
from miniepo.protocol.decoding import decoded


class _Head(msgspec.Struct, frozen=True):
    """As much of a message as says which it is."""

    message: str


_encoder = msgspec.json.Encoder()
_from_agent: msgspec.json.Decoder[messages.FromAgent] = msgspec.json.Decoder(messages.FromAgent)
_head = msgspec.json.Decoder(_Head)
_to_agent: msgspec.json.Decoder[messages.ToAgent] = msgspec.json.Decoder(messages.ToAgent)

_ENROL = messages.Enrol.__struct_config__.tag


def encode(message: messages.FromAgent | messages.ToAgent) -> bytes:
    """The bytes of any message."""
    return _encoder.encode(message)


def claims_to_enrol(data: bytes) -> bool:
    """Whether a message says that it is an enrolment; nothing else of it is read. Raises MessageError."""
    return decoded(_head, data, "a message of an agent").message == _ENROL


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
