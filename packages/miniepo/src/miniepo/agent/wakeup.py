"""Decides whether a wake-up call is to be believed: who sent it, from where, to whom, when, and whether it is new.

Agents of 4.5 and later accept server-initiated connections from every handler of their SiteList, older ones from the
first handler of it only, and from nobody else (domain §4, source S2). A wake-up only triggers a call-in; it carries no
content. A broadcast is no connection: it is believed for its signature, wherever it comes from, also when the policy
"accept connections only from the ePO server" is in force; no source says otherwise [uncertain], and the policy setting
`acceptBroadcasts: false` has it otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from nacl.signing import VerifyKey

from miniepo.agent.nonces import NonceMemory
from miniepo.errors import MessageError, RefusedError, SignatureError
from miniepo.protocol import codec, segment, signing
from miniepo.protocol.messages import Wakeup
from miniepo.protocol.segment import SegmentWakeup, SuperAgentWakeup
from miniepo.protocol.sitelist import Site
from miniepo.protocol.version import Behaviour


def callers(handlers: Sequence[Site], version: str) -> tuple[Site, ...]:
    """The handlers whose calls an agent of this version answers, from those of its list in order."""
    if Behaviour.of(version).server_connections == "first-handler":
        return tuple(handlers[:1])
    return tuple(handlers)


def check_source(source: str, handlers: Collection[str]) -> None:
    """Raise RefusedError unless the source address is a handler's that may call."""
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


def accept_order(data: bytes, guid: str, key: VerifyKey, nonces: NonceMemory, now: float) -> SuperAgentWakeup:
    """The order to a SuperAgent in an envelope; raises a WorldError that says why it is refused."""
    order, nonce = segment.open_for_superagent(data, guid, key, now)
    nonces.use(nonce, now)
    nonces.note(broadcast_nonce(order.wakeup_id), now)
    return order


def accept_broadcast(
    data: bytes, key: VerifyKey, segments: Collection[str], nonces: NonceMemory, now: float
) -> SegmentWakeup:
    """The order in a broadcast; raises a WorldError that says why it is refused.

    One that comes a second time is a replay, also by the other address family, and from a second SuperAgent of the
    segment: the wake-up's id counts, not the datagram's nonce.
    """
    order = segment.open_for_segment(data, key, segments, now)
    nonces.use(broadcast_nonce(order.wakeup_id), now)
    return order


def broadcast_nonce(wakeup_id: str) -> str:
    """Under which word a broadcast is remembered."""
    return f"broadcast {wakeup_id}"


def delay_seconds(call: Wakeup, draw: Callable[[float, float], float]) -> float:
    """After how long the agent calls in: at once, or at a random moment of the time that the wake-up allows."""
    return draw(0.0, call.random_seconds) if call.random_seconds > 0 else 0.0
