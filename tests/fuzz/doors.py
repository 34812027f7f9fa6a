"""Every place where bytes of a stranger come in: what it may refuse with, and what must hold whatever comes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import msgspec
from nacl.signing import SigningKey

from miniepo.agent import tasks, wakeup
from miniepo.agent.nonces import NonceMemory
from miniepo.errors import MessageError, SignatureError, SiteListError, StaleEnvelopeError, TaskError, WorldError
from miniepo.handler import properties
from miniepo.handler.delivery import wakeup_port
from miniepo.protocol import (
    codec,
    datachannel,
    discovery,
    messages,
    relay_session,
    run_now,
    segment,
    signing,
    sitelist,
    task_settings,
)
from miniepo.protocol.relay_session import Dial, Disconnect, Endpoint, LineReceived, RelaySession, Say

NOW = 1_700_000_000.0
GUID = "E0F52A7C-A841-11E7-0467-000C2936A49A"
KEY = SigningKey(bytes(range(32)))
SEGMENT = "10.2.0.0/24"
SITE = sitelist.Site(
    kind="SpipeSite",
    name="ePO_HQ",
    type="master",
    order=1,
    host="epo.hq.lab",
    port=80,
    address="10.1.0.2",
    address_v6="fd00:1::2",
    netbios_name="EPO",
    secure_port=443,
    version="5.3.0",
)
LIST = sitelist.SiteList("EPO", "1", (SITE,))
ALLOWED = relay_session.allowed_targets(LIST, {})
MAX_BYTES = 64 * 1024


def from_agent(data: bytes) -> None:
    """A handler reads what an agent says; what it accepts it can say again."""
    try:
        message = codec.decode_from_agent(data)
    except MessageError:
        with contextlib.suppress(MessageError):
            codec.claims_to_enrol(data)
        return
    assert codec.decode_from_agent(codec.encode(message)) == message


def agent_properties(data: bytes) -> None:
    """Whatever an agent reports becomes columns of their types, and ports that can be called."""
    try:
        message = codec.decode_from_agent(data)
    except MessageError:
        return
    if not isinstance(message, messages.Props):
        return
    columns = properties.columns(message.values)
    assert all(0 <= int(columns[name] or 0) < 2**63 for name in properties.NUMBER_COLUMNS)
    system: Any = SimpleNamespace(properties=message.values)
    for port in (properties.roles(message.values).superagent_port, wakeup_port(system)):
        assert 0 < port < 65536


def to_agent(data: bytes) -> None:
    """An agent reads what a handler says."""
    try:
        message = codec.decode_to_agent(data)
    except MessageError:
        return
    assert codec.decode_to_agent(codec.encode(message)) == message


def envelope(data: bytes) -> None:
    """An envelope that nobody signed is never believed."""
    try:
        signing.verify(signing.open_envelope(data), KEY.verify_key, now=NOW)
    except (MessageError, SignatureError, StaleEnvelopeError):
        return
    raise AssertionError("an envelope that nobody signed was believed")


def signed_request(data: bytes) -> None:
    """A request header that nobody signed is never believed."""
    header = data.decode("latin-1")
    try:
        signing.verify_request("PUT", "/Software/x", header, KEY.verify_key, now=NOW)
    except (SignatureError, StaleEnvelopeError):
        return
    raise AssertionError("a request that nobody signed was believed")


def site_list(data: bytes) -> None:
    """What is read as a site list has hosts and ports that can be tried, and can be written."""
    for given in (data, data.decode("utf-8", "replace"), data.decode("utf-8", "surrogateescape")):
        try:
            read = sitelist.parse(given)
        except SiteListError:
            continue
        assert all(site.host and 0 <= site.port <= sitelist.MAX_PORT and site.order >= 0 for site in read.sites)
        sitelist.encoded(sitelist.write(read))


def relay_handshake(data: bytes) -> None:
    """A relay connects to sites of its list only, and says no in one short line to everything else."""
    commands = RelaySession(ALLOWED).receive(LineReceived(data[: relay_session.MAX_LINE_BYTES]))
    for command in commands:
        if isinstance(command, Dial):
            assert Endpoint(command.target.host.lower(), command.target.port) in ALLOWED
        if isinstance(command, Say):
            assert command.data.endswith(b"\n") and command.data.count(b"\n") == 1
            assert len(command.data) <= 16 * relay_session.MAX_LINE_BYTES
    assert isinstance(commands[-1], Dial | Disconnect)


def relay_answer(data: bytes) -> None:
    """A client of a relay reads its answer."""
    try:
        relay_session.check_answer(data)
    except WorldError:
        return


def discovery_datagram(data: bytes) -> None:
    """Both ends of discovery; an offer counts only for the question that was asked."""
    for read in (discovery.decode_query, discovery.decode_offer):
        try:
            read(data)
        except MessageError:
            continue
    asked = discovery.Discovery("a nonce that the stranger does not know")
    assert not asked.receive(data, "192.0.2.1") and asked.found == ()


def discovery_offer(data: bytes) -> None:
    """Who heard the question may answer with anything: what counts as a relay can be tried, and not for ever."""
    asked = discovery.Discovery("n")
    asked.receive(data, "192.0.2.1")
    for relay in asked.found:
        assert 1 <= len(relay.endpoints) <= discovery.MAX_ADDRESSES
        for endpoint in relay.endpoints:
            assert 0 < endpoint.port < 65536 and isinstance(endpoint.port, int)
            ip_address(endpoint.host)


def _accept(data: bytes) -> messages.Wakeup | None:
    memory: Any = SimpleNamespace(nonces={})
    try:
        return wakeup.accept(data, GUID, KEY.verify_key, NonceMemory(memory), NOW)
    except WorldError:
        return None


def wakeup_call(data: bytes) -> None:
    """A wake-up that nobody signed wakes nobody."""
    assert _accept(data) is None


def signed_wakeup_call(data: bytes) -> None:
    """Whatever stands in an envelope of the server, only a wake-up for this agent wakes it."""
    sealed = signing.seal(data, KEY, sender="hq/epo", recipient=GUID, issued_at=NOW, nonce="n")
    call = _accept(sealed)
    assert call is None or call.guid == GUID


def _heard(data: bytes) -> segment.SegmentWakeup | None:
    memory: Any = SimpleNamespace(nonces={})
    try:
        return wakeup.accept_broadcast(data, KEY.verify_key, {SEGMENT}, NonceMemory(memory), NOW)
    except WorldError:
        return None


def broadcast(data: bytes) -> None:
    """A broadcast that nobody signed wakes nobody."""
    assert _heard(data) is None


def signed_broadcast(data: bytes) -> None:
    """Whatever stands in a datagram of the server, only a wake-up for this segment wakes the segment."""
    order = _heard(signing.seal(data, KEY, sender="hq/epo", recipient=SEGMENT, issued_at=NOW, nonce="n"))
    assert order is None or order.segment == SEGMENT


def superagent_order(data: bytes) -> None:
    """Whatever stands in an envelope of the server, only an order for this SuperAgent makes it shout, and briefly."""
    memory: Any = SimpleNamespace(nonces={})
    sealed = signing.seal(data, KEY, sender="hq/epo", recipient=GUID, issued_at=NOW, nonce="n")
    try:
        order = wakeup.accept_order(sealed, GUID, KEY.verify_key, NonceMemory(memory), NOW)
    except WorldError:
        return
    assert order.guid == GUID and len(order.datagram) <= segment.MAX_DATAGRAM_BYTES


def run_now_payload(data: bytes) -> None:
    """What a data channel's message says to run, or how it went, is read as that or refused."""
    try:
        said = codec.decode_to_agent(data)
    except MessageError:
        return
    for item in said.items if isinstance(said, datachannel.ChannelItems) else ():
        for read in (_run_task, run_now.read_report):
            try:
                read(item.payload)
            except MessageError:
                continue


def _run_task(payload: dict[str, Any]) -> None:
    """Whatever a task's settings and schedule say is read as that or refused too."""
    task = run_now.read_run_task(payload).task
    assert 1 <= tasks.every_seconds(task) <= tasks.MAX_EVERY_SECONDS
    for kind in task_settings.KINDS.values():
        try:
            assert isinstance(task_settings.read(task.settings, kind), kind)
        except TaskError:
            continue


_TASK = {"id": "7", "name": "Scan", "type": "scan", "schedule": {"every_seconds": 1}, "settings": {"seconds": 1}}
_RUN = {"task": _TASK, "status": "progress"}
_MESSAGE = datachannel.ChannelMessage(
    id="1", product=run_now.PRODUCT, kind=run_now.RUN_TASK, correlation="7", payload=_RUN, expires=NOW
)
_EXCHANGE = codec.encode(datachannel.ChannelExchange(guid=GUID, taken=("1",), messages=(_MESSAGE,)))
_ITEMS = codec.encode(datachannel.ChannelItems(items=(_MESSAGE,), accepted=("1",)))
_ENVELOPE = signing.seal(b"{}", SigningKey(b"x" * 32), sender=GUID, recipient="", issued_at=NOW, nonce="n")
_REQUEST = signing.sign_request("PUT", "/Software/x", "0" * 64, SigningKey(b"x" * 32), issued_at=NOW, nonce="n")
_WAKEUP = codec.encode(messages.Wakeup(guid=GUID, wakeup_id="w"))
_BROADCAST = msgspec.json.encode(segment.SegmentWakeup(wakeup_id="w", segment=SEGMENT))
_ORDER = msgspec.json.encode(segment.SuperAgentWakeup(guid=GUID, wakeup_id="w", datagram=_ENVELOPE))
_EVENT = messages.Event(key="k", kind="threat", event_id=1092, severity=2, detected=NOW)
_REPORTED = dict.fromkeys((*properties.NUMBER_COLUMNS, "SuperAgent.Port", "WakeupPort"), "1")
_PROPS = tuple(
    codec.encode(messages.Props(guid="g", kind="full", props_version="p", values=_REPORTED | ports))
    for ports in ({}, dict.fromkeys(("SuperAgent.Port", "WakeupPort"), "0000199999999"))
)
_BOMB = (
    b'<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%b">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b']><ns:SiteLists xmlns:ns="naSiteList"><SiteList Name="&j;"/></ns:SiteLists>'
)
_LISTS = (
    sitelist.write(LIST).encode(),
    sitelist.write(LIST).replace("UTF-8", "ISO-8859-1").replace("EPO", "\u00e9PO").encode("latin-1"),
    sitelist.write(LIST).encode("utf-16"),
    _BOMB,
    _BOMB.decode().encode("utf-16"),
)
_RELAY = discovery.Relay("g", "relay", 8081, ("10.3.0.2", "fd00:3::2"))

_OFFERS = (
    _RELAY,
    discovery.Relay("g", "relay", 99999, ("10.3.0.2",)),
    discovery.Relay("g", "relay", 0, ("10.3.0.2",)),
    discovery.Relay("g", "relay", 8081, ("relay.example", "10.3.0.2%eth0")),
    discovery.Relay("g", "relay", 8081, tuple(f"10.3.0.{number}" for number in range(100))),
)

DOORS: dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]] = {
    "from-agent": (from_agent, (codec.encode(messages.Events(guid=GUID, events=(_EVENT,))), _EXCHANGE)),
    "agent-properties": (agent_properties, _PROPS),
    "to-agent": (to_agent, (_WAKEUP, codec.encode(messages.Package()), _ITEMS)),
    "run-now": (run_now_payload, (_ITEMS,)),
    "envelope": (envelope, (_ENVELOPE,)),
    "signed-request": (signed_request, (_REQUEST.encode(),)),
    "site-list": (site_list, _LISTS),
    "relay-handshake": (
        relay_handshake,
        tuple(relay_session.encode_request(each) for each in sorted(ALLOWED, key=str)),
    ),
    "relay-answer": (relay_answer, (b'{"ok":true}\n', b'{"ok":false,"error":"no","code":"not-listed"}\n')),
    "discovery": (discovery_datagram, (discovery.encode_query("n"), discovery.encode_offer(_RELAY, "n"))),
    "discovery-offer": (discovery_offer, tuple(discovery.encode_offer(each, "n") for each in _OFFERS)),
    "wake-up": (wakeup_call, (_ENVELOPE,)),
    "signed-wake-up": (signed_wakeup_call, (_WAKEUP,)),
    "broadcast": (broadcast, (_ENVELOPE,)),
    "signed-broadcast": (signed_broadcast, (_BROADCAST,)),
    "superagent-order": (superagent_order, (_ORDER,)),
}
"""Each door by its name: what takes the bytes, and bytes to begin with."""
