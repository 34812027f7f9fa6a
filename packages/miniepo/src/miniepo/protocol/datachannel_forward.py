"""What a handler says to the server when it passes on what agents said: answers go up directly, not by the database.

Source S2: the handler's Apache forwards to Tomcat. Which port that is is [uncertain]; the lab takes 8444, the
authenticated client-to-server port (domain §1.1), with the client certificate `DataChannelAH_<handler>`.
"""

from __future__ import annotations

import msgspec

from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.decoding import decoded

FORWARD_PATH = "/datachannel"
WORK_PATH = "/datachannel/work"
"""Where a remote handler takes the server's notice in 4.5 mode."""
SERVER_PORT = 8444
CERTIFICATE_PREFIX = "DataChannelAH_"


class Forwarded(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one agent on their way up. `redirect` is the version of the handler's DCRedirect extension."""

    handler: str
    redirect: str
    guid: str
    messages: tuple[ChannelMessage, ...]


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of the messages that the server has now, or had before."""

    accepted: tuple[str, ...]


_forwarded = msgspec.json.Decoder(Forwarded)
_received = msgspec.json.Decoder(Received)


def certificate_name(handler: str) -> str:
    """The common name of a handler's client certificate."""
    return f"{CERTIFICATE_PREFIX}{handler}"


def encode(record: Forwarded | Received) -> bytes:
    """The bytes of either record."""
    return msgspec.json.encode(record)


def decode_forwarded(data: bytes) -> Forwarded:
    """What a handler says; raises MessageError."""
    return decoded(_forwarded, data, "what a handler forwards")


def decode_received(data: bytes) -> Received:
    """What the server says; raises MessageError."""
    return decoded(_received, data, "the server's answer")


def refusal(forwarded: Forwarded, certificate: str, redirect: str) -> str:
    """Why the server does not take what came over a connection with this certificate's common name; "" if it does."""
    if certificate != certificate_name(forwarded.handler):
        return f"the certificate {certificate or 'without a name'} is not that of handler {forwarded.handler}"
    if forwarded.redirect != redirect:
        return f"DCRedirect extension {forwarded.redirect or '(none)'} of {forwarded.handler}, {redirect} here"
    return ""
