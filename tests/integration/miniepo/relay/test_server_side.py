"""What the server knows of relays: who refuses to be one, and whose site list does not cover its clients'."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from miniepo import config, log
from miniepo.handler.properties import columns
from miniepo.server import relay_watch
from miniepo.server.relay_lists import RelayWarning
from miniepo.store.database import open_database
from miniepo.store.groups import LOST_AND_FOUND_ID
from miniepo.store.handlers import Rule
from miniepo.store.migrate import migrate
from miniepo.store.store import Store
from miniepo.store.systems import Callin, System
from tests.integration.miniepo.field import Field, open_field, until

pytestmark = pytest.mark.integration


@pytest.fixture
def field(tmp_path: Path, database: config.Database) -> Iterator[Field]:
    with open_field(tmp_path, database) as opened:
        yield opened


@pytest.mark.parametrize(("version", "platform"), [("4.6.0", "Linux"), ("5.6.1", "AIX")])
def test_an_agent_that_cannot_be_a_relay_says_so_and_enforces_the_rest(
    field: Field, version: str, platform: str
) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", asci_seconds=1, version=version, platform=platform)
    before = agent.until(lambda status: status["last_handler"] and status["policy_version"])["policy_version"]
    field.assign(agent, "relay", {"enabled": True})
    status = agent.until(lambda status: status["policy_version"] != before)
    assert status["roles"]["relay"] is False
    assert any(f"of version {version} on {platform} cannot be a relay" in text for text in status["problems"])

    async def read(store: Store) -> System | None:
        return await store.systems.by_guid(status["guid"])

    def known() -> System | None:
        system = field.store(read)
        return system if system is not None and "cannot be a relay" in system.problems else None

    system = until(known, what="the server knows")
    assert system.policy_version == status["policy_version"] and system.properties["Relay.Enabled"] == "0"


async def handler(store: Store, name: str) -> int:
    return await store.handlers.register(
        name=name, computer_name=name, fqdn=f"{name}.test", address="", address_v6="", version="5.9.1", http_port=80,
        https_port=443, built_in=False,
    )  # fmt: skip


async def system(store: Store, name: str, address: str, handler_id: int, via: str | None, relay: bool) -> None:
    """A system that called in, as its agent would have."""
    received = {"ComputerName": name, "IPHostName": f"{name}.test", "IPAddress": address}
    received |= {"Relay.Enabled": "1" if relay else "0"}
    async with store.transaction() as inside:
        made = await inside.systems.ensure(name, f"{name}.test", LOST_AND_FOUND_ID)
        await inside.systems.record_properties(made.id, "1", columns(received), received)
        remote = "10.3.0.1" if via else address
        call = Callin("4.8.0", "", "", "", "asci", None, via, remote, handler_id)
        await inside.systems.record_callin(made.id, call)


def test_the_server_warns_once_and_says_when_it_is_mended(
    database: config.Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        await migrate(database)
        async with open_database(database) as opened:
            store = Store(opened)
            assert await relay_watch.read_warnings(store) == []
            first = await handler(store, "one")
            await handler(store, "two")
            await system(store, "relay-1", "10.3.0.1", first, via=None, relay=True)
            await system(store, "pc-1", "10.3.0.9", first, via="relay-1", relay=False)
            await system(store, "pc-2", "10.4.0.9", first, via=None, relay=False)
            everything, narrow = Rule(2, "all", None, [], True, []), Rule(1, "r", None, ["10.3.0.1/32"], False, ["one"])
            await store.handlers.replace_rules([narrow, everything])
            wanted = RelayWarning("relay-1.test", "pc-1.test", ("ePO_TWO",))
            assert await relay_watch.read_warnings(store) == [wanted]
            watching = asyncio.create_task(relay_watch.watch(store, every_seconds=0.05))
            await said("lacks ePO_TWO, which pc-1.test", caplog)
            await store.handlers.replace_rules([everything])
            await said("no longer: the site list of relay relay-1.test", caplog)
            watching.cancel()
            lines = [record.getMessage() for record in caplog.records if "lacks ePO_TWO" in record.getMessage()]
            assert len(lines) == 2, "once when it began, once when it was over"

    with caplog.at_level(logging.INFO, logger=log.server_log("NAIMSRV").name):
        asyncio.run(run())


async def said(text: str, caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(10):
        while not any(text in record.getMessage() for record in caplog.records):  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.02)
