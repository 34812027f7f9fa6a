"""An agent that knows the enrolment key becomes nobody but itself, and with its own key speaks for nobody else."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from nacl.signing import SigningKey

from miniepo.handler.exchange import Exchange, Identity
from miniepo.protocol import codec, messages, signing
from miniepo.protocol.datachannel import ChannelExchange
from miniepo.store.store import Store
from tests.unit.miniepo.standins import CountingEntropy, SetClock

ENROLMENT_KEY = "vouch for me"


@dataclass
class Row:
    """What an enrolment sees of a system."""

    id: int
    name: str
    guid: str | None = None
    public_key: str | None = None
    regenerate_guid: bool = False


@dataclass
class Tree:
    """As much of the store as an enrolment needs; a system is found by its name."""

    rows: list[Row] = field(default_factory=list)

    @property
    def systems(self) -> Tree:
        return self

    @property
    def reports(self) -> Tree:
        return self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tree]:
        yield self

    async def first_use(self, guid: str, nonce: str) -> int:
        return 0

    async def by_guid(self, guid: str) -> Row | None:
        return next((row for row in self.rows if row.guid == guid), None)

    async def ensure(self, name: str, fqdn: str, group_id: int) -> Row:
        found = [row for row in self.rows if row.name == name]
        if not found:
            self.rows.append(Row(len(self.rows) + 1, name))
        return (found or self.rows[-1:])[0]

    async def enrol(self, id: int, guid: str, public_key: str, version: str) -> None:
        (row,) = [row for row in self.rows if row.id == id]
        row.guid, row.public_key, row.regenerate_guid = guid, public_key, False


@dataclass
class Place:
    """A handler, its System Tree, and agents that enrol."""

    tree: Tree
    exchange: Exchange

    def enrol(self, certificate: str, name: str, guid: str, key: SigningKey | None = None) -> Any:
        key = key or SigningKey.generate()
        public = signing.public_text(key)
        said = messages.Enrol(
            guid=guid,
            public_key=public,
            computer_name=name,
            fqdn=f"{name}.hq.test",
            version="5.0.0",
            platform="Linux",
            proof=signing.enrolment_proof(ENROLMENT_KEY, guid, public, name),
        )
        sealed = signing.seal(
            codec.encode(said), key, sender=guid, recipient="", issued_at=SetClock().now(), nonce=f"nonce of {guid}"
        )
        answer = asyncio.run(self.exchange.answer(sealed, "10.1.0.99", certificate))
        return codec.decode_to_agent(signing.open_envelope(answer).payload)


@pytest.fixture
def place() -> Place:
    tree = Tree([Row(1, "victim", "GUID-V", "key of the victim")])
    identity = Identity("hq/epo", 1, SigningKey.generate(), ENROLMENT_KEY)
    return Place(tree, Exchange(cast(Store, tree), identity, cast(Any, None), SetClock(), CountingEntropy()))


def assert_foreign(answer: Any) -> None:
    assert isinstance(answer, messages.Refused) and answer.code == "foreign-machine", answer


@pytest.mark.parametrize("certificate", ["agent pc-1.hq.test", "agent package", "epo.hq.test"])
def test_nobody_becomes_another_machine(place: Place, certificate: str) -> None:
    assert_foreign(place.enrol(certificate, "victim", "GUID-X"))
    assert place.tree.rows == [Row(1, "victim", "GUID-V", "key of the victim")]


def test_a_node_that_was_made_anew_enrols_again(place: Place) -> None:
    assert place.enrol("agent victim.hq.test", "victim", "GUID-N") == messages.Enrolled(guid="GUID-N")
    assert [(row.id, row.guid) for row in place.tree.rows] == [(1, "GUID-N")]


def test_a_pushed_agent_enrols_where_there_is_none_and_again_with_its_key(place: Place) -> None:
    key = SigningKey.generate()
    place.tree.rows.append(Row(2, "bare"))
    for guid in ("GUID-B", "GUID-C"):
        assert place.enrol("agent package", "bare", guid, key) == messages.Enrolled(guid=guid)
    assert_foreign(place.enrol("agent package", "bare", "GUID-X"))
    place.tree.rows[1].regenerate_guid = True
    assert place.enrol("agent package", "bare", "GUID-Y") == messages.Enrolled(guid="GUID-Y")


def test_without_tls_the_enrolment_key_is_enough(place: Place) -> None:
    assert place.enrol("", "victim", "GUID-X") == messages.Enrolled(guid="GUID-X")


def test_a_guid_in_use_is_told_before_anything_else(place: Place) -> None:
    answer = place.enrol("agent package", "victim", "GUID-V")
    assert isinstance(answer, messages.Refused) and answer.code == "regenerate-guid"


VICTIM_KEY, OWN_KEY = SigningKey.generate(), SigningKey.generate()
CERTIFICATE = "agent pc-1.hq.test"
VICTIM, OWN = "GUID-V", "GUID-B"


@dataclass
class Known:
    """The key under which a GUID has enrolled."""

    public_key: str


class Guarded:
    """A store that knows two agents' keys and counts the nonces; whatever else is asked of it is a leak."""

    def __init__(self) -> None:
        self._keys = {VICTIM: VICTIM_KEY, OWN: OWN_KEY}
        self.nonces = 0

    @property
    def reports(self) -> Guarded:
        return self

    async def system(self, guid: str) -> Known | None:
        return Known(signing.public_text(self._keys[guid])) if guid in self._keys else None

    async def first_use(self, guid: str, nonce: str) -> int:
        self.nonces += 1
        return 0


def about(guid: str) -> list[messages.FromAgent]:
    """Whatever would read or write for an agent."""
    return [
        messages.PropsVersion(guid=guid, version="5.0.0", props_version="p", computer_name="victim"),
        messages.Props(guid=guid, kind="full", props_version="p", values={"ComputerName": "victim"}),
        messages.Events(guid=guid, events=()),
        messages.Enforced(guid=guid, policy_version="1", tasks_version="1", sitelist_version="1", props_version="p"),
        ChannelExchange(guid=guid),
    ]


def answered(store: Guarded, payload: bytes, sender: str, certificate: str = CERTIFICATE) -> Any:
    """What is said to bytes that the attacker's key signed."""
    identity = Identity("hq/epo", 1, SigningKey.generate(), ENROLMENT_KEY)
    exchange = Exchange(cast(Store, store), identity, cast(Any, None), SetClock(), CountingEntropy())
    sealed = signing.seal(payload, OWN_KEY, sender=sender, recipient="", issued_at=SetClock().now(), nonce="n")
    answer = asyncio.run(exchange.answer(sealed, "10.1.0.99", certificate))
    return codec.decode_to_agent(signing.open_envelope(answer).payload)


@pytest.mark.parametrize("certificate", [CERTIFICATE, "agent victim.hq.test", ""])
@pytest.mark.parametrize(
    ("sender", "code"), [(OWN, "bad-message"), (VICTIM, "bad-signature"), ("GUID-NOBODY", "unknown-agent")]
)
def test_nobody_speaks_for_another_with_a_key_of_its_own(sender: str, code: str, certificate: str) -> None:
    store = Guarded()
    for said in about(VICTIM):
        refused = answered(store, codec.encode(said), sender, certificate)
        assert isinstance(refused, messages.Refused) and refused.code == code, refused
    assert store.nonces == 0, "a forged envelope uses up no nonce of the agent that it names"


LISTS = b",".join([b"[]"] * 500_000)
BIG = b'{"message":"%s","guid":"%s","messages":[{"id":"1","product":"p","kind":"k","expires":1,"payload":{"a":[%s]}}]}'


@pytest.mark.parametrize(
    ("kind", "sender", "code"),
    [
        (b"channel-exchange", VICTIM, "bad-signature"),
        (b"channel-exchange", "GUID-NOBODY", "unknown-agent"),
        (b"enrol", "GUID-NOBODY", "bad-message"),
        (b'enrol","message":"channel-exchange', "GUID-NOBODY", "unknown-agent"),
        (b'channel-exchange","message":"enrol', "GUID-NOBODY", "bad-message"),
    ],
)
def test_what_nobody_has_signed_is_not_unfolded(kind: bytes, sender: str, code: str) -> None:
    payload = BIG % (kind, sender.encode(), LISTS)
    tracemalloc.start()
    try:
        refused = answered(Guarded(), payload, sender)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(refused, messages.Refused) and refused.code == code, refused
    assert peak < 8 * len(payload), "its bytes some times over, and none of its half a million lists"


def test_an_enrolment_is_an_enrolment_throughout() -> None:
    twice = (
        b'{"message":"props","guid":"%s","kind":"full","props_version":"","values":{},"message":"enrol"}' % OWN.encode()
    )
    store = Guarded()
    assert answered(store, twice, OWN).code == "bad-message"
    assert store.nonces == 0
