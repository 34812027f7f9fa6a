"""Fifty agents in one process against a real handler and a real database."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from miniepo import config
from miniepo.clock import SystemEntropy
from miniepo.protocol import codec, signing
from miniepo.protocol.messages import Wakeup
from tests.integration.miniepo.field import AgentProcess, Field, open_field, until
from tests.integration.miniepo.swarming import start_swarm

pytestmark = pytest.mark.integration

AGENTS = 50


@pytest.fixture
def field(tmp_path: Path, database: config.Database) -> Iterator[Field]:
    with open_field(tmp_path, database) as opened:
        yield opened


def query(field: Field, sql: str, *values: object) -> list[tuple[object, ...]]:
    database = field.database
    with psycopg.connect(host=database.host, user=database.user, dbname=database.name) as connection:
        return connection.execute(sql, values).fetchall()


def all_in(swarm: AgentProcess) -> dict[str, object]:
    return swarm.until(lambda status: status["called_in"] == AGENTS, 40)


def post(swarm: AgentProcess, body: bytes) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", swarm.port, 5, source_address=("127.0.0.1", 0))
    connection.request("POST", "/wakeup", body)
    status = connection.getresponse().status
    connection.close()
    return status


def seal_wakeup(field: Field, guid: str) -> bytes:
    entropy = SystemEntropy()
    message = Wakeup(guid=guid, wakeup_id=f"probe-{entropy.nonce()[:8]}")
    return signing.seal(
        codec.encode(message), field.key, sender="hq/epo", recipient=guid, issued_at=time.time(), nonce=entropy.nonce()
    )


def test_each_agent_of_a_swarm_is_a_system_of_its_own(field: Field) -> None:
    field.handler("hq/epo")
    swarm = start_swarm(field, "crowd", AGENTS)
    status = all_in(swarm)
    assert (status["agents"], status["enrolled"], status["handlers"]) == (AGENTS, AGENTS, {"hq/epo": AGENTS})
    systems = query(field, "SELECT NodeName, AgentGUID, PublicKey FROM EPOLeafNode ORDER BY NodeName")
    assert [name for name, _, _ in systems] == [f"crowd-{number:04d}" for number in range(1, AGENTS + 1)]
    assert len({guid for _, guid, _ in systems}) == len({key for _, _, key in systems}) == AGENTS
    assert Path(f"/proc/{swarm.process.process.pid}/comm").read_text() == "miniepo-swarm\n"


def test_events_of_every_agent_arrive_once_and_a_killed_swarm_goes_on_as_itself(field: Field) -> None:
    field.handler("hq/epo")
    swarm = start_swarm(field, "crowd", AGENTS)
    all_in(swarm)
    before = query(field, "SELECT NodeName, AgentGUID FROM EPOLeafNode ORDER BY NodeName")
    assert swarm.ctl("event", "--id", "1092", "--count", "3") == {"agents": AGENTS, "events": 3 * AGENTS}
    swarm.process.kill()
    swarm.process.start()
    until(lambda: query(field, "SELECT count(*) FROM EPOEvents") == [(3 * AGENTS,)], 30, "every event arrives")
    swarm.until(lambda status: status["spooled_events"] == 0, 30)
    assert query(field, "SELECT NodeName, AgentGUID FROM EPOLeafNode ORDER BY NodeName") == before
    assert query(field, "SELECT count(DISTINCT EventKey) FROM EPOEvents") == [(3 * AGENTS,)]


def test_a_wakeup_reaches_the_agent_that_it_is_for_and_no_other(field: Field) -> None:
    field.handler("hq/epo")
    swarm = start_swarm(field, "crowd", AGENTS)
    all_in(swarm)
    (guid,) = query(field, "SELECT AgentGUID FROM EPOLeafNode WHERE NodeName = 'crowd-0007'")[0]
    call = seal_wakeup(field, str(guid))
    assert post(swarm, call) == 202
    woken = (
        "SELECT l.NodeName FROM AgentCallin c JOIN EPOLeafNode l ON l.AutoID = c.LeafNodeID WHERE c.Reason = 'wakeup'"
    )
    until(lambda: query(field, woken) == [("crowd-0007",)], what="the agent calls in")
    assert post(swarm, call) == 403
    assert post(swarm, seal_wakeup(field, "SOMEBODY-ELSE")) == 403


def test_all_call_in_when_they_are_told_to(field: Field) -> None:
    field.handler("hq/epo")
    swarm = start_swarm(field, "crowd", AGENTS)
    all_in(swarm)
    told = swarm.ctl("callin")
    assert (told["agents"], told["called_in"], told["failures"]) == (AGENTS, AGENTS, {})
    manual = "SELECT count(DISTINCT LeafNodeID) FROM AgentCallin WHERE Reason = 'manual'"
    assert query(field, manual) == [(AGENTS,)]


def test_a_swarm_ends_when_it_is_told_to_in_the_middle_of_its_calls(field: Field) -> None:
    field.handler("hq/epo")
    swarm = start_swarm(field, "crowd", AGENTS, asci_seconds=1)
    all_in(swarm)
    swarm.process.process.terminate()
    assert swarm.process.process.wait(20) == 0
