"""An agent reads its own policies over real TLS, and nobody else's: not by another's GUID, name, or certificate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from field import Field, open_field
from speaker import Speaker, fetch

from miniepo import config
from miniepo.clock import SystemEntropy
from miniepo.protocol import codec, messages, signing
from miniepo.protocol.datachannel import ChannelExchange
from miniepo.store.store import Store

pytestmark = pytest.mark.integration
SECRET = {"asciSeconds": 777}
PACKAGE, CHANNEL = "/spipe/pkg", "/spipe/datachannel"


@dataclass
class Files:
    """What a speaker needs: its client certificate and the server's public key."""

    tls: config.Tls
    public_key: str


class Machine(Speaker):
    """A speaker with a certificate of its own, which can put other words on its envelopes."""

    def __init__(self, field: Field, port: int, name: str) -> None:
        self.own = config.Tls(**field.authority.issue(f"agent {name}.test", [], file=name))
        super().__init__(port, Files(self.own, str(field.folder / "assc.pub")), name)

    def claim(
        self, message: messages.FromAgent, sender: str, tls: config.Tls, path: str = PACKAGE
    ) -> tuple[bytes, Any]:
        """Say a message under a sender's GUID, with this machine's key, over a connection with this certificate."""
        now, nonce = time.time(), SystemEntropy().nonce()
        sealed = signing.seal(codec.encode(message), self.key, sender=sender, recipient="", issued_at=now, nonce=nonce)
        own = {"ca": tls.ca, "certificate": tls.certificate, "key": tls.key}
        answer = asyncio.run(fetch(self.port, "POST", path, sealed, **own))
        return codec.decode_to_agent(signing.open_envelope(answer.body).payload)


@dataclass
class Two:
    """Two enrolled machines, the first of which has a policy of its own."""

    field: Field
    first: Machine
    second: Machine


@pytest.fixture
def two(tmp_path: Path, database: config.Database) -> Iterator[Two]:
    with open_field(tmp_path, database) as field:
        field.handler("hq/epo")
        port = field.sites[0].secure_port
        assert port is not None
        machines = [Machine(field, port, name) for name in ("victim", "thief")]
        for number, machine in enumerate(machines):
            assert machine.say(machine.enrolment("vouch for me")) == messages.Enrolled(guid=machine.guid)
            machine.call_in({"NetAddress": f"020A0100000{number}"})

        async def assign(store: Store) -> None:
            system = await store.systems.by_guid(machines[0].guid)
            policy = await store.policies.by_id(await store.policies.save("Secret", "agent", SECRET))
            assert system is not None and policy is not None
            await store.policies.assign_to_system(policy, system.id)

        field.store(assign)
        yield Two(field, *machines)


def settings_of(package: messages.Package) -> list[dict[str, Any]]:
    return [policy.settings for policy in package.policies.policies] if package.policies is not None else []


def begun(guid: str, name: str, net_address: str) -> messages.PropsVersion:
    return messages.PropsVersion(
        guid=guid, version="5.0.0", props_version="p1", computer_name=name, net_address=net_address
    )


def test_nobody_reads_by_the_guid_of_another(two: Two) -> None:
    first, second = two.first, two.second
    assert settings_of(first.call_in()) == [SECRET], "who has it reads it"
    claims: list[tuple[messages.FromAgent, str]] = [
        (begun(first.guid, "victim", "020A01000000"), PACKAGE),
        (messages.Props(guid=first.guid, kind="full", props_version="p1", values={}), PACKAGE),
        (ChannelExchange(guid=first.guid), CHANNEL),
    ]
    for message, path in claims:
        for sender, code in ((second.guid, "bad-message"), (first.guid, "bad-signature")):
            for tls in (second.own, first.own):
                refused = second.claim(message, sender, tls, path)
                assert isinstance(refused, messages.Refused) and refused.code == code, refused


def test_nobody_reads_by_the_name_of_another(two: Two) -> None:
    first, second = two.first, two.second
    refused = second.say(begun(second.guid, "victim", "020A01000000"))
    assert isinstance(refused, messages.Refused) and refused.code == "regenerate-guid", "another name and card: a clone"
    assert isinstance(second.say(begun(second.guid, "victim", "020A01000001")), messages.RequestProps)
    for claim in ({"ComputerName": "victim"}, {"IPHostName": "victim.test"}):
        own = {"ComputerName": "thief", "IPHostName": "thief.test", "NetAddress": "020A01000001"} | claim
        for said in (
            messages.Props(guid=second.guid, kind="full", props_version="p2", values=own),
            messages.Props(guid=second.guid, kind="incremental", props_version="p2", values=claim),
            messages.Enforced(
                guid=second.guid,
                policy_version="",
                tasks_version="",
                sitelist_version="",
                props_version="p2",
                values=claim,
            ),
        ):
            refused = second.say(said)
            assert isinstance(refused, messages.Refused) and refused.code == "foreign-machine", refused
    assert SECRET not in settings_of(second.call_in())
    assert settings_of(first.call_in()) == [SECRET]


def test_what_is_assigned_by_name_goes_to_who_has_it(two: Two) -> None:
    """Also when another machine reports that name, or says that it has that address."""
    first, second = two.first, two.second
    first.call_in({"IPAddress": "10.1.0.1"})
    for claim in ({"IPHostName": "victim.test"}, {"IPAddress": "victim.test"}, {"IPAddress": "10.1.0.1"}):
        second.say(messages.Props(guid=second.guid, kind="incremental", props_version="p3", values=claim))

    async def find(store: Store) -> list[list[str]]:
        return [
            [each.name for each in await store.systems.named([name])] for name in ("victim", "victim.test", "10.1.0.1")
        ]

    assert two.field.store(find) == [["victim"], ["victim"], []]


def test_nobody_takes_the_place_of_another(two: Two) -> None:
    """Enrolling with the other's name and one's own certificate is refused, with the other's GUID too."""
    first, second = two.first, two.second
    stranger = Machine(two.field, second.port, "stranger")
    stranger.name = "victim"
    refused = stranger.say(stranger.enrolment("vouch for me"))
    assert isinstance(refused, messages.Refused) and refused.code == "foreign-machine"
    stranger.name, stranger.guid = "stranger", first.guid
    refused = stranger.say(stranger.enrolment("vouch for me"))
    assert isinstance(refused, messages.Refused) and refused.code == "regenerate-guid"
    assert settings_of(first.call_in()) == [SECRET]
