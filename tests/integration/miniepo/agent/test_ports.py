"""An agent process whose wake-up port moves, cannot be opened, or is none, and one whose site list is no text."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from miniepo import config
from tests.integration.miniepo.agent.test_calls import system_of
from tests.integration.miniepo.field import Field, free_port, open_field, until

pytestmark = pytest.mark.integration


@pytest.fixture
def field(tmp_path: Path, database: config.Database) -> Iterator[Field]:
    with open_field(tmp_path, database) as opened:
        yield opened


def answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def test_policy_moves_the_wakeup_port_and_the_asci(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", asci_seconds=1)
    agent.until(lambda status: status["last_handler"])
    port = free_port()
    field.assign(agent, "agent", {"wakeupPort": port, "asciSeconds": 2})
    agent.until(lambda status: status["asci_seconds"] == 2)
    until(lambda: answers(port) and not answers(agent.port), what="the port moves")
    until(lambda: system_of(field, agent).properties["WakeupPort"] == str(port), what="the server learns of it")


def test_an_agent_without_its_wakeup_port_calls_in_and_opens_it_as_soon_as_it_can(field: Field) -> None:
    field.handler("hq/epo")
    with socket.create_server(("127.0.0.1", 0)) as holder:
        agent = field.agent("pc-1", holder.getsockname()[1], asci_seconds=1)
        agent.until(lambda status: status["last_callin_reason"] == "asci")
        assert f"wake-up port {agent.port}: " in agent.process.text()
    until(lambda: answers(agent.port), what="the port opens")


def test_an_agent_outlives_a_wakeup_port_that_is_none_also_across_a_restart(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", asci_seconds=1)
    agent.until(lambda status: status["last_handler"])
    field.assign(agent, "agent", {"wakeupPort": 99999})
    until(lambda: "not enforced: policy of category agent" in agent.process.text(), what="the policy arrives")
    agent.process.kill()
    agent.process.start()
    agent.until(lambda status: status["last_callin_reason"] == "start")
    port = free_port()
    field.assign(agent, "agent", {"wakeupPort": port})
    until(lambda: answers(port), what="the policy that mends it arrives")


def test_an_agent_starts_with_a_configured_port_that_is_none(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", 99999)
    agent.until(lambda status: status["last_callin_reason"] == "asci")
    assert "wake-up port 99999: " in agent.process.text()


def test_an_agent_outlives_a_site_list_that_is_no_text(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", asci_seconds=1)
    agent.until(lambda status: status["last_handler"] and (agent.state / "SiteList.xml").exists())
    listed = (agent.state / "SiteList.xml").read_bytes()
    (agent.state / "SiteList.xml").write_bytes(listed.replace(b"EPO", b"\xe9PO"))
    until(lambda: "SiteListError: SiteList.xml is no text in UTF-8" in agent.process.text(), what="the list is named")
    (agent.state / "SiteList.xml").write_bytes(listed)
    now = time.time()
    agent.until(lambda status: status["last_callin_seconds"] > now)
