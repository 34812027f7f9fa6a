"""A SuperAgent made by policy: takes signed replication, serves its segment, and agents update from it."""

import asyncio
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from miniepo import config
from miniepo.clock import SystemEntropy
from miniepo.protocol import content, signing
from miniepo.protocol.content import Catalog, CatalogEntry, PackageCatalog, PackageFile
from miniepo.protocol.relay_session import Endpoint
from miniepo.repository import mirror
from miniepo.store.store import Store
from miniepo.wire.http_client import Answer, HttpConnection
from miniepo.wire.stream import connect
from tests.integration.miniepo.field import AgentProcess, Field, open_field

pytestmark = pytest.mark.integration
PAYLOAD = bytes(range(256)) * 4096


@pytest.fixture
def field(tmp_path: Path, database: config.Database) -> Iterator[Field]:
    with open_field(tmp_path, database) as opened:
        yield opened


def publish(root: Path, key: SigningKey, version: str, payload: bytes) -> None:
    """A repository with one package, as the master makes it."""
    entry = CatalogEntry("Current", "PROBE1000", "Product", "0000", version)
    folder = root / entry.path
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "probe.bin").write_bytes(payload)
    file = PackageFile("probe.bin", len(payload), hashlib.sha256(payload).hexdigest())
    package = content.write_package_catalog(PackageCatalog(entry, (file,)))
    (folder / content.PACKAGE_CATALOG).write_bytes(content.pack(package, lambda data: key.sign(data).signature))
    catalog = content.write_catalog(Catalog(1, (entry,)))
    (root / content.CATALOG).write_bytes(content.pack(catalog, lambda data: key.sign(data).signature))
    (root / content.SITE_STAT).write_text(content.write_site_stat(1))
    mirror.write_logs(root, mirror.read_tree(root))


def signed(key: SigningKey, method: str, path: str, body: bytes) -> str:
    digest = hashlib.sha256(body).hexdigest() if method == "PUT" else "-"
    return signing.sign_request(method, path, digest, key, issued_at=time.time(), nonce=SystemEntropy().nonce())


def ask(port: int, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
    async def run() -> Answer:
        connection = HttpConnection(await connect(Endpoint("127.0.0.1", port)), "superagent")
        lines = [(name.replace("_", "-"), value) for name, value in headers.items()]
        try:
            return await connection.request(method, path, body, lines)
        finally:
            await connection.close()

    return asyncio.run(run())


def put(field: Field, agent: AgentProcess, path: str, body: bytes) -> Answer:
    return ask(agent.port, "PUT", path, body, **{signing.SIGNATURE_HEADER: signed(field.key, "PUT", path, body)})


def test_a_superagent_by_policy_takes_signed_changes_only(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("sa-1", asci_seconds=1)
    agent.until(lambda status: status["last_handler"])
    path = "/Software/Current/PROBE1000/Product/0000/probe.bin"
    assert ask(agent.port, "GET", path).status == 404
    field.assign(agent, "superagent", {"enabled": True, "repository": True})
    agent.until(lambda status: status["roles"]["superagent"])
    header = signed(field.key, "PUT", path, PAYLOAD)
    assert ask(agent.port, "PUT", path, PAYLOAD).status == 403
    assert ask(agent.port, "GET", f"{path}/x").status == 404
    assert list((field.folder / "repository-sa-1").iterdir()) == [], "who has no signature leaves no trace"
    assert ask(agent.port, "PUT", path, PAYLOAD[:-1], **{signing.SIGNATURE_HEADER: header}).status == 403
    assert ask(agent.port, "PUT", path, PAYLOAD, **{signing.SIGNATURE_HEADER: header}).status == 403, "nonce is used"
    stranger = signed(SigningKey.generate(), "PUT", path, PAYLOAD)
    assert ask(agent.port, "PUT", path, PAYLOAD, **{signing.SIGNATURE_HEADER: stranger}).status == 403
    assert ask(agent.port, "GET", path).status == 404
    assert put(field, agent, path, PAYLOAD).status == 201
    assert ask(agent.port, "GET", path).body == PAYLOAD
    part = ask(agent.port, "GET", path, Range="bytes=1000-1999")
    assert (part.status, part.body) == (206, PAYLOAD[1000:2000])
    assert ask(agent.port, "GET", "/Software/../agent.key").status == 404
    gone = signed(field.key, "DELETE", path, b"")
    assert ask(agent.port, "DELETE", path, **{signing.SIGNATURE_HEADER: gone}).status == 204
    assert ask(agent.port, "GET", path).status == 404
    field.assign(agent, "superagent", {"enabled": False})
    agent.until(lambda status: not status["roles"]["superagent"])
    assert put(field, agent, path, PAYLOAD).status == 404


def test_the_server_learns_of_a_superagent_and_lists_it(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("sa-1", asci_seconds=1)
    agent.until(lambda status: status["last_handler"])
    field.assign(agent, "superagent", {"enabled": True, "repository": True})
    agent.until(lambda status: status["roles"]["superagent"])
    agent.until(lambda status: "SuperAgentSite" in (agent.state / "SiteList.xml").read_text())


def test_an_update_task_brings_a_package_and_verifies_it(field: Field) -> None:
    field.handler("hq/epo")
    publish(field.folder / "repository", field.key, "1.0", PAYLOAD)
    agent = field.agent("pc-1", asci_seconds=1)
    agent.until(lambda status: status["last_handler"])

    async def assign_task(store: Store) -> None:
        system = await store.systems.by_guid(agent.status()["guid"])
        assert system is not None
        task = await store.tasks.save("Update", "update", {"every_seconds": 1}, {})
        await store.tasks.assign_to_system(task, system.id)

    field.store(assign_task)
    agent.until(lambda status: status["installed"] == {"PROBE1000": "1.0"})
    assert (agent.state / "content/PROBE1000/probe.bin").read_bytes() == PAYLOAD
    publish(field.folder / "repository", field.key, "1.1", PAYLOAD[::-1])
    agent.until(lambda status: status["installed"] == {"PROBE1000": "1.1"})
    assert (agent.state / "content/PROBE1000/probe.bin").read_bytes() == PAYLOAD[::-1]


def test_content_that_is_not_as_catalogued_or_not_signed_is_not_installed(field: Field) -> None:
    field.handler("hq/epo")
    root = field.folder / "repository"
    publish(root, field.key, "1.0", PAYLOAD)
    (root / "Current/PROBE1000/Product/0000/probe.bin").write_bytes(PAYLOAD[::-1])
    agent = field.agent("pc-1", asci_seconds=300)
    agent.until(lambda status: status["last_handler"])
    assert "not as catalogued" in agent.ctl("update", fails=True)["outcome"]
    publish(root, SigningKey.generate(), "1.0", PAYLOAD)
    assert "not signed by the key" in agent.ctl("update", fails=True)["outcome"]
    assert agent.status()["installed"] == {} and not (agent.state / "content/PROBE1000").exists()
    publish(root, field.key, "1.0", PAYLOAD)
    reply = {"outcome": "ePO_LOCALHOST: PROBE1000 1.0", "update_source": "ePO_LOCALHOST", "update_via_relay": None}
    assert agent.ctl("update") == reply
