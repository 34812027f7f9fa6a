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

from miniepo.errors import MessageError
from miniepo.handler.exchange import Exchange, Identity
from miniepo.protocol import codec, messages, signing
from miniepo.protocol.datachannel import ChannelExchange
from miniepo.store.reports import Reported
from miniepo.store.store import Store
from miniepo.store.systems import System
from tests.unit.miniepo.standins import CountingEntropy, SetClock
from tests.unit.miniepo.systems import system

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


@dataclass
class One:
    """A store with one system, which takes what is reported of it."""

    known: System
    stored: list[Reported] = field(default_factory=list)

    @property
    def reports(self) -> One:
        return self

    @property
    def systems(self) -> One:
        return self

    async def system(self, guid: str) -> System:
        return self.known

    async def first_use(self, guid: str, nonce: str) -> int:
        return 0

    async def record_versions(self, *versions: str) -> None:
        pass

    async def properties(self, reported: Reported) -> bool:
        self.stored.append(reported)
        return True


PC = {"ComputerName": "pc-1", "IPHostName": "pc-1.hq.test"}


def report(known: dict[str, str], values: dict[str, str], certificate: str = CERTIFICATE) -> tuple[Any, list[Reported]]:
    """What is answered to an agent that reports these properties in both ways, and what of them was stored."""
    key, fqdn = signing.public_text(OWN_KEY), PC["IPHostName"]
    store = One(system(guid=OWN, public_key=key, computer_name="pc-1", fqdn=fqdn, props_version="1", properties=known))
    identity = Identity("hq/epo", 1, SigningKey.generate(), ENROLMENT_KEY)
    exchange = Exchange(cast(Store, store), identity, cast(Any, None), SetClock(), CountingEntropy())
    answers = []
    versions = {"policy_version": "1", "tasks_version": "1", "sitelist_version": "1", "props_version": "2"}
    for said in (
        messages.Enforced(guid=OWN, **versions, values=values),
        messages.Props(guid=OWN, kind="incremental", **versions, values=values),
    ):
        sealed = signing.seal(
            codec.encode(said), OWN_KEY, sender=OWN, recipient="", issued_at=SetClock().now(), nonce="n"
        )
        answer = asyncio.run(exchange.answer(sealed, "10.1.0.99", certificate))
        answers.append(codec.decode_to_agent(signing.open_envelope(answer).payload))
        if answers[0] == messages.Acknowledged():
            break
    assert len({type(answer) for answer in answers}) == 1, answers
    return answers[-1], store.stored


@pytest.mark.parametrize("certificate", [CERTIFICATE, "agent package", ""])
def test_own_properties_are_stored(certificate: str) -> None:
    answer, (stored,) = report(PC, {"FreeMemory": "7"}, certificate)
    assert answer == messages.Acknowledged() and stored.received == PC | {"FreeMemory": "7"}
    answer, (stored,) = report({}, {"FreeMemory": "7"}, certificate)
    assert answer == messages.Acknowledged(), "who tells no name claims none"


@pytest.mark.parametrize("certificate", [CERTIFICATE, "agent package"])
@pytest.mark.parametrize("values", [{"IPHostName": "pc-2.hq.test"}, {"ComputerName": "pc-2"}])
def test_nobody_reports_the_name_of_another(values: dict[str, str], certificate: str) -> None:
    refused, stored = report(PC, values, certificate)
    assert isinstance(refused, messages.Refused) and refused.code == "foreign-machine", refused
    assert "pc-2" in refused.text and not stored


def test_a_renamed_machine_reports_its_new_name() -> None:
    values = {"ComputerName": "pc-9", "IPHostName": "pc-9.hq.test"}
    answer, (stored,) = report(PC, values, "agent pc-9.hq.test")
    assert answer == messages.Acknowledged() and stored.columns["IPHostName"] == "pc-9.hq.test"


@pytest.mark.parametrize("values", [{"b": "x" * 1025}, {str(number): "" for number in range(499)}])
def test_properties_that_grow_beyond_their_bounds_are_refused(values: dict[str, str]) -> None:
    refused, stored = report(PC, values)
    assert isinstance(refused, messages.Refused) and refused.code == "bad-message" and not stored, refused


def test_what_is_kept_of_an_agent_has_bounds() -> None:
    said = messages.PropsVersion(guid=OWN, version="5.0.0", props_version="p" * 256)
    with pytest.raises(MessageError, match="props_version"):
        codec.decode_from_agent(codec.encode(said))
