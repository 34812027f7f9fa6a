"""Finding a relay: the question, the offer, and the memory of the first five that answered.

An agent that cannot reach a handler broadcasts; it connects to the first responder; discovery is repeated at every
ASCI; the first five unique relays are cached; the next one is used when the current one fails (domain §5, source S1).
Agents of 5.x ask on 8082/udp, older ones on 8083/udp (domain §1.1).

[uncertain] What spreads agents over several relays: the sources say that they may share the load, and that the first
responder is used. Here each relay answers a question after a delay of its own, drawn anew for each question, and later
the more of its connections are in use (`answer_delay`); a relay policy with `answerWithinMs` 0 has it answer at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from ipaddress import ip_address

import msgspec

from miniepo.errors import MessageError
from miniepo.protocol.decoding import decoded
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.version import Behaviour

GROUP_V6 = "ff02::6d65"
CACHE_SIZE = 5
MAX_ADDRESSES = 16
"""So many addresses a relay may offer: each may cost a communication the time of one connection that nobody answers."""

MAX_PORT = 65535
ANSWER_WITHIN_SECONDS = 0.1


class Relay(msgspec.Struct, frozen=True):
    """A relay as it offered itself: who, and at which addresses and TCP port it forwards."""

    guid: str
    computer_name: str
    port: int
    addresses: tuple[str, ...]

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Where it can be reached, in the order in which to try."""
        return tuple(Endpoint(address, self.port) for address in self.addresses)

    @property
    def fault(self) -> str:
        """Why nothing can be connected to here, "" for a relay that can be tried: anybody may say that he is one."""
        if not 0 < self.port <= MAX_PORT:
            return f"{self.port} is no port"
        if not 0 < len(self.addresses) <= MAX_ADDRESSES:
            return f"{len(self.addresses)} addresses, not 1 to {MAX_ADDRESSES}"
        return next((f"{address!r:.60} is no address" for address in self.addresses if not _is_address(address)), "")


def _is_address(text: str) -> bool:
    """Whether this is an IP address that means the same here as on another node: one without an interface."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


class _Query(msgspec.Struct):
    discover: str
    nonce: str


class _Offer(msgspec.Struct):
    relay: Relay
    nonce: str


_query = msgspec.json.Decoder(_Query)
_offer = msgspec.json.Decoder(_Offer)


def discovery_port(agent_version: str) -> int:
    """The UDP port on which an agent of this version asks for relays."""
    return Behaviour.of(agent_version).discovery_port


def encode_query(nonce: str) -> bytes:
    """The datagram that asks for relays."""
    return msgspec.json.encode(_Query(discover="relay", nonce=nonce))


def decode_query(data: bytes) -> str | None:
    """The nonce of a question for relays; None for a question for something else; MessageError for neither."""
    query = decoded(_query, data, "a discovery")
    return query.nonce if query.discover == "relay" else None


def encode_offer(relay: Relay, nonce: str) -> bytes:
    """The datagram that answers a question."""
    return msgspec.json.encode(_Offer(relay=relay, nonce=nonce))


def decode_offer(data: bytes) -> tuple[Relay, str]:
    """The relay and the nonce of an answer; raises MessageError."""
    offer = decoded(_offer, data, "an offer")
    if offer.relay.fault:
        raise MessageError(f"not an offer: {offer.relay.fault}")
    return offer.relay, offer.nonce


def answer_delay(guid: str, nonce: str, load: float, within_seconds: float = ANSWER_WITHIN_SECONDS) -> float | None:
    """After how many seconds a relay answers a question; None if it has no room for another client.

    `load` is the part of its connections that is in use. The draw follows from who is asked and the question, so that
    the broadcast and the multicast of one question are answered alike, and no relay is ahead of the others for long.
    """
    if load >= 1:
        return None
    drawn = int.from_bytes(hashlib.sha256(f"{guid} {nonce}".encode()).digest()[:8], "big") / 2**64
    return within_seconds * (drawn + load)


def addressed_from(relay: Relay, source: str) -> Relay:
    """The relay with the address its offer came from in front: that one is known to have a way here.

    A link-local address says nothing without its interface, so that it is left out.
    """
    if source.lower().startswith("fe80:"):
        return relay
    others = tuple(address for address in relay.addresses if address != source)
    return replace_addresses(relay, (source, *others)[:MAX_ADDRESSES])


def replace_addresses(relay: Relay, addresses: tuple[str, ...]) -> Relay:
    """The same relay at other addresses."""
    return msgspec.structs.replace(relay, addresses=addresses)


@dataclass(frozen=True, slots=True)
class RelayCache:
    """The first five unique relays that answered, the one in use in front."""

    relays: tuple[Relay, ...] = ()

    def add(self, found: tuple[Relay, ...]) -> RelayCache:
        """With newly found relays at the end while there is room; known ones get their new addresses in place."""
        fresh = {relay.guid: relay for relay in found}
        kept = [fresh.pop(relay.guid, relay) for relay in self.relays]
        return replace(self, relays=tuple([*kept, *fresh.values()][:CACHE_SIZE]))

    def failed(self, guid: str) -> RelayCache:
        """With the relay that failed at the end, so that the next one is the current one."""
        failed = [relay for relay in self.relays if relay.guid == guid]
        others = [relay for relay in self.relays if relay.guid != guid]
        return replace(self, relays=tuple(others + failed))

    def without(self, guid: str) -> RelayCache:
        """Without a relay that is gone, to make room for another."""
        return replace(self, relays=tuple(relay for relay in self.relays if relay.guid != guid))


class Discovery:
    """One round of discovery: collects offers to its own question, in the order of their arrival.

    It ends with the first five unique relays, and one address offers one relay: whoever offers thousands costs a
    communication no more time than any other relay that does not answer.
    """

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._offered_by: dict[str, str] = {}
        self.found: tuple[Relay, ...] = ()

    def receive(self, data: bytes, source: str) -> bool:
        """Take a datagram; True if it brought a relay that was not known in this round."""
        if len(self.found) == CACHE_SIZE:
            return False
        try:
            relay, nonce = decode_offer(data)
        except MessageError:
            return False
        if nonce != self._nonce or self._offered_by.setdefault(source, relay.guid) != relay.guid:
            return False
        if any(known.guid == relay.guid for known in self.found):
            return False
        self.found = (*self.found, addressed_from(relay, source))
        return True
