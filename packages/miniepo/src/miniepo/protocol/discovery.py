"""Finding a relay: the question, the offer, and the memory of the first five that answered.

An agent that cannot reach a handler broadcasts; it connects to the first responder; discovery is repeated at every
ASCI; the first five unique relays are cached; the next one is used when the current one fails (domain §5, source S1).
Agents of 5.x ask on 8082/udp, older ones on 8083/udp (domain §1.1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from miniepo.errors import MessageError
from miniepo.protocol.relay_session import Endpoint

GROUP_V6 = "ff02::6d65"
AGENT_BROADCAST_PORT = 8082
OLD_DISCOVERY_PORT = 8083
CACHE_SIZE = 5


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
    major = agent_version.partition(".")[0]
    return AGENT_BROADCAST_PORT if major.isdigit() and int(major) >= 5 else OLD_DISCOVERY_PORT


def encode_query(nonce: str) -> bytes:
    """The datagram that asks for relays."""
    return msgspec.json.encode(_Query(discover="relay", nonce=nonce))


def decode_query(data: bytes) -> str | None:
    """The nonce of a question for relays; None for a question for something else; MessageError for neither."""
    try:
        query = _query.decode(data)
    except msgspec.DecodeError as error:
        raise MessageError(f"not a discovery: {error}") from error
    return query.nonce if query.discover == "relay" else None


def encode_offer(relay: Relay, nonce: str) -> bytes:
    """The datagram that answers a question."""
    return msgspec.json.encode(_Offer(relay=relay, nonce=nonce))


def decode_offer(data: bytes) -> tuple[Relay, str]:
    """The relay and the nonce of an answer; raises MessageError."""
    try:
        offer = _offer.decode(data)
    except msgspec.DecodeError as error:
        raise MessageError(f"not an offer: {error}") from error
    return offer.relay, offer.nonce


def addressed_from(relay: Relay, source: str) -> Relay:
    """The relay with the address its offer came from in front: that one is known to have a way here.

    A link-local address says nothing without its interface, so that it is left out.
    """
    if source.lower().startswith("fe80:"):
        return relay
    others = tuple(address for address in relay.addresses if address != source)
    return replace_addresses(relay, (source, *others))


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
    """One round of discovery: collects offers to its own question, in the order of their arrival."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self.found: tuple[Relay, ...] = ()

    def receive(self, data: bytes, source: str) -> bool:
        """Take a datagram; True if it brought a relay that was not known in this round."""
        try:
            relay, nonce = decode_offer(data)
        except MessageError:
            return False
        if nonce != self._nonce or any(known.guid == relay.guid for known in self.found):
            return False
        self.found = (*self.found, addressed_from(relay, source))
        return True
