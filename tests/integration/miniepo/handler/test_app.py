"""A handler process with a real database: enrolment, call-ins, events, refusals, content, no database."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time

import pytest
from speaker import Speaker, fetch

from conftest import make_keys
from miniepo.errors import TransferError
from miniepo.protocol import messages, sitelist
from miniepo.protocol.messages import Event
from miniepo.store.database import open_database
from miniepo.store.store import Store

pytestmark = pytest.mark.integration


@pytest.fixture
def speaker(handler, keys) -> Speaker:
    made = Speaker(handler.settings.https_port, keys, "pc-1")
    assert made.say(made.enrolment()) == messages.Enrolled(guid=made.guid)
    return made


def secured(settings, tls=None) -> ssl.SSLSocket:
    """A TLS connection to a handler, with the certificate of `tls` (the handler's own unless told otherwise)."""
    own = tls or settings.tls
    context = ssl.create_default_context(cafile=settings.tls.ca)
    context.load_cert_chain(own.certificate, own.key)
    plain = socket.create_connection(("127.0.0.1", settings.https_port), 5)
    return context.wrap_socket(plain, server_hostname="localhost")


def in_store(database, work):
    async def run():
        async with open_database(database) as opened:
            return await work(Store(opened))

    return asyncio.run(run())


def test_a_call_in_delivers_policies_tasks_and_the_site_list_once(handler, speaker) -> None:
    async def declare(store: Store) -> None:
        await store.policies.save("Fast", "agent", {"asciSeconds": 10})
        policy = (await store.policies.find("Fast"))[0]
        await store.policies.assign_to_group(policy, 2)
        task = await store.tasks.save("Update", "update", {"every_seconds": 60}, {})
        await store.tasks.assign_to_group(task, 2)

    in_store(handler.database, declare)
    package = speaker.call_in()
    assert package.policies is not None and package.policies.policies[0].settings == {"asciSeconds": 10}
    assert package.tasks is not None and package.tasks.tasks[0].schedule == {"every_seconds": 60}
    assert package.sitelist is not None
    handlers = sitelist.parse(package.sitelist.xml).handlers
    assert [(site.secure_port, site.address, site.address_v6) for site in handlers] == [
        (handler.settings.https_port, "127.0.0.1", "::1")
    ]
    again = speaker.call_in(
        policy_version=package.policies.version,
        tasks_version=package.tasks.version,
        sitelist_version=package.sitelist.version,
    )
    assert again == messages.Package(channel_waits=False)


def test_a_call_in_is_recorded_with_its_wakeup_and_its_relay(handler, speaker) -> None:
    speaker.call_in(reason="wakeup", wakeup_id="w-1", via_relay="relay-1")
    callins = in_store(handler.database, lambda store: store.systems.callins("pc-1", 0))
    assert [(each["reason"], each["wakeup_id"], each["via_relay"]) for each in callins] == [
        ("wakeup", "w-1", "relay-1")
    ]
    system = in_store(handler.database, lambda store: store.systems.by_guid(speaker.guid))
    assert (system.last_wakeup_id, system.remote_address, system.fqdn) == ("w-1", "127.0.0.1", "pc-1.test")


def test_an_event_is_stored_once_however_often_it_is_delivered(handler, speaker) -> None:
    events = (
        Event(key="e1", kind="threat", event_id=1092, severity=3, detected=time.time(), text="blocked"),
        Event(key="e2", kind="product", event_id=1120, severity=5, detected=time.time(), fields={"ProductCode": "X"}),
    )
    for _ in range(2):
        accepted = speaker.say(messages.Events(guid=speaker.guid, events=events))
        assert accepted == messages.EventsAccepted(keys=("e1", "e2"))
    stored = in_store(handler.database, lambda store: store.events.list("pc-1"))
    assert sorted((each["kind"], each["event_id"]) for each in stored) == [("product", 1120), ("threat", 1092)]


def test_a_superagent_appears_among_the_repositories_and_in_site_lists(handler, speaker) -> None:
    role = {"SuperAgent.Enabled": "1", "SuperAgent.Repository": "1", "SuperAgent.Port": "8081"}
    package = speaker.call_in(role)
    assert package.sitelist is not None
    kinds = [(site.kind, site.name) for site in sitelist.parse(package.sitelist.xml).sites]
    assert ("SuperAgentSite", "ePOSA_PC-1") in kinds
    speaker.call_in({"SuperAgent.Enabled": "0"})
    assert in_store(handler.database, lambda store: store.repositories.all()) == []


def test_what_an_agent_enforced_is_known_at_once(handler, speaker) -> None:
    speaker.call_in()
    enforced = messages.Enforced(
        guid=speaker.guid,
        policy_version="v9",
        tasks_version="t9",
        sitelist_version="s9",
        props_version="p2",
        values={"Relay.Enabled": "1"},
    )
    assert speaker.say(enforced) == messages.Acknowledged()
    system = in_store(handler.database, lambda store: store.systems.by_guid(speaker.guid))
    assert (system.policy_version, system.props_version, system.properties["Relay.Enabled"]) == ("v9", "p2", "1")
    assert system.properties["ComputerName"] == "pc-1"


def test_strangers_forgers_and_replays_are_refused(handler, keys, speaker) -> None:
    def code(answer) -> str:
        refused = speaker.opened(answer)
        assert isinstance(refused, messages.Refused)
        return refused.code

    hello = messages.PropsVersion(guid=speaker.guid, version="4.8.0", props_version="p1")
    recorded = speaker.seal(hello)
    assert speaker.post(recorded).status == 200
    assert code(speaker.post(recorded)) == "replayed"
    assert code(speaker.post(speaker.seal(hello, issued_at=time.time() - 400))) == "stale"
    assert code(speaker.post(recorded.replace(b'"reply_to":""', b'"reply_to":"x"'))) == "bad-signature"
    stranger = Speaker(handler.settings.https_port, keys, "stranger")
    unknown = stranger.say(messages.PropsVersion(guid=stranger.guid, version="4.8.0", props_version="p1"))
    assert unknown.code == "unknown-agent"
    assert stranger.say(stranger.enrolment("wrong key")).code == "bad-proof"
    stranger.guid = speaker.guid
    assert stranger.say(stranger.enrolment()).code == "regenerate-guid"
    assert speaker.post(b"hello").status == 400


def test_only_clients_with_a_certificate_of_the_lab_are_served(handler, keys, tmp_path, speaker) -> None:
    (tmp_path / "other").mkdir()
    other = make_keys(tmp_path / "other").tls
    hello = speaker.seal(messages.PropsVersion(guid=speaker.guid, version="4.8.0", props_version="p1"))

    def send(certificate: str = "", key: str = ""):
        port, ca = handler.settings.https_port, keys.tls.ca
        return asyncio.run(fetch(port, "POST", "/spipe/pkg", hello, ca=ca, certificate=certificate, key=key))

    for strange in ((), (other.certificate, other.key)):
        with pytest.raises(TransferError):
            send(*strange)
    assert "a client was not let in" in handler.process.log
    assert send(keys.tls.certificate, keys.tls.key).status == 200


def test_envelopes_are_refused_without_tls(handler, speaker) -> None:
    hello = speaker.seal(messages.PropsVersion(guid=speaker.guid, version="4.8.0", props_version="p1"))
    answer = asyncio.run(fetch(handler.settings.http_port, "POST", "/spipe/pkg", hello))
    assert (answer.status, answer.body) == (403, b"agent-server communication is served over TLS only\n")


def test_content_is_served_in_ranges_and_never_from_outside(handler, tmp_path) -> None:
    folder = tmp_path / "repository" / "Current"
    folder.mkdir()
    (folder / "file.bin").write_bytes(bytes(range(200)))
    (tmp_path / "secret").write_text("no")

    def get(path: str, *headers: tuple[str, str]):
        return asyncio.run(fetch(handler.settings.http_port, "GET", path, headers=headers))

    whole = get("/Software/Current/file.bin")
    assert (whole.status, whole.body) == (200, bytes(range(200)))
    assert get("/Software/Current/file.bin", ("Range", "bytes=100-")).body == bytes(range(100, 200))
    assert get("/Software/Current/file.bin", ("If-None-Match", whole.headers["etag"])).status == 304
    for path in ("/Software/../secret", "/Software/%2e%2e/secret", "/Software/..%2fsecret", "/Software/missing"):
        assert get(path).status == 404


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(handler) -> None:
    head = b"POST /spipe/pkg HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4194305\r\n\r\n"
    with secured(handler.settings) as connection:
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_without_a_database_agents_are_sent_to_another_handler_until_it_is_back(cluster, handler, speaker) -> None:
    hello = messages.PropsVersion(guid=speaker.guid, version="4.8.0", props_version="p1")
    cluster.stop()
    try:
        assert speaker.post(speaker.seal(hello)).status == 503
    finally:
        cluster.start()
    deadline = time.monotonic() + 20
    while (answer := speaker.post(speaker.seal(hello))).status == 503 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert answer.status == 200
