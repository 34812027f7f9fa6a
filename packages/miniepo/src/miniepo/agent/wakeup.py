"""Decides whether a wake-up call is to be believed: who sent it, from where, to whom, when, and whether it is new.

Agents of 4.5 and later accept server-initiated connections from every handler of their SiteList, and from nobody else
(domain §4, source S2). A wake-up only triggers a call-in; it carries no content.
"""

from __future__ import annotations

from collections.abc import Collection

from nacl.signing import VerifyKey

from miniepo.agent.nonces import NonceMemory
from miniepo.errors import MessageError, RefusedError, SignatureError
from miniepo.protocol import codec, signing
from miniepo.protocol.messages import Wakeup


def check_source(source: str, handlers: Collection[str]) -> None:
    """Raise RefusedError unless the source address is a handler's."""
    if source not in handlers:
        raise RefusedError("foreign-source", f"{source} is no handler of this agent's site list")


def accept(data: bytes, guid: str, key: VerifyKey, nonces: NonceMemory, now: float) -> Wakeup:
    """The wake-up in an envelope; raises a WorldError that says why it is refused."""
    envelope = signing.open_envelope(data)
    signing.verify(envelope, key, now=now)
    if envelope.recipient != guid:
        raise SignatureError(f"the wake-up is for {envelope.recipient}, not for this agent")
    message = codec.decode_to_agent(envelope.payload)
    if not isinstance(message, Wakeup) or message.guid != guid:
        raise MessageError("the envelope holds no wake-up for this agent")
    nonces.use(envelope.nonce, now)
    return message
