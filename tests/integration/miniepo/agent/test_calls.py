"""An agent process against a real handler and a real database: calls, events, wake-ups, the next handler."""

import contextlib
import http.client
import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from nacl.signing import SigningKey

from miniepo import config
from miniepo.clock import SystemEntropy
from miniepo.protocol import codec, signing
from miniepo.protocol.messages import Wakeup
from miniepo.store.store import Store
from miniepo.store.systems import System
from miniepo.wire.http_request import Limits
from tests.integration.miniepo.field import AgentProcess, Field, open_field, until

pytestmark = pytest.mark.integration


@pytest.fixture
def field(tmp_path: Path, database: config.Database) -> Iterator[Field]:
    with open_field(tmp_path, database) as opened:
        yield opened


def query(field: Field, sql: str, *values: object) -> list[tuple[object, ...]]:
    database = field.database
    with psycopg.connect(host=database.host, user=database.user, dbname=database.name) as connection:
        return connection.execute(sql, values).fetchall()


def system_of(field: Field, agent: AgentProcess) -> System:
    async def read(store: Store) -> System | None:
        return await store.systems.by_guid(agent.status()["guid"])

    system = field.store(read)
    assert system is not None
    return system


def post_wakeup(agent: AgentProcess, body: bytes, source: str = "127.0.0.1") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", agent.port, 5, source_address=(source, 0))
    connection.request("POST", "/wakeup", body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def seal_wakeup(key: SigningKey, guid: str, issued_at: float | None = None, recipient: str | None = None) -> bytes:
    message = Wakeup(guid=guid, wakeup_id=f"probe-{SystemEntropy().nonce()[:8]}")
    return signing.seal(
        codec.encode(message),
        key,
        sender="hq/epo",
        recipient=guid if recipient is None else recipient,
        issued_at=time.time() if issued_at is None else issued_at,
        nonce=SystemEntropy().nonce(),
    )


def test_a_new_agent_enrols_reports_and_enforces(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1")
    status = agent.until(lambda status: status["last_handler"] and status["policy_version"])
    system = system_of(field, agent)
    assert (system.computer_name, system.properties["WakeupPort"]) == ("pc-1", str(agent.port))
    assert status["enrolled"] and not status["last_handler"]["via_relay"]
    assert Path(f"/proc/{agent.process.process.pid}/comm").read_text() == "cmdagent\n"
    agent.until(lambda later: later["last_callin_reason"] == "asci")
    assert system_of(field, agent).guid == status["guid"]


def test_silent_connections_keep_no_wakeup_out(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", asci_seconds=300)
    guid = agent.until(lambda status: status["last_handler"])["guid"]
    with contextlib.ExitStack() as held:
        for _ in range(Limits().connections):
            held.enter_context(socket.create_connection(("127.0.0.1", agent.port), 5, ("127.0.0.2", 0)))
        assert post_wakeup(agent, seal_wakeup(field.key, guid))[0] == 202
        assert post_wakeup(agent, seal_wakeup(field.key, guid), "127.0.0.2")[0] == 403, (
            "an answer to who is silent, too"
        )
    agent.until(lambda status: status["last_callin_reason"] == "wakeup")


def test_the_log_tells_when_the_first_call_is_drawn_to_come_and_when_it_begins(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", first_call_within_seconds=1.0)
    agent.until(lambda status: status["last_callin_reason"] == "start")
    lines = [line.split() for line in agent.process.text().splitlines() if " agent.caller first call " in line]
    drawn, begins = lines
    waited = datetime.fromisoformat(begins[0]) - datetime.fromisoformat(drawn[0])
    assert begins[-1] == "begins" and waited.total_seconds() >= float(drawn[6]) - 0.002


def test_an_agent_starts_within_its_budget(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", asci_seconds=300)
    agent.until(lambda status: status["last_handler"])
    process = Path(f"/proc/{agent.process.process.pid}")
    resident = next(line for line in (process / "status").read_text().splitlines() if line.startswith("VmRSS"))
    ticks = sum(int(text) for text in (process / "stat").read_text().rsplit(")", 1)[1].split()[11:13])
    assert int(resident.split()[1]) <= 40 * 1024
    assert ticks / 100 <= 0.5


def test_events_survive_a_kill_and_arrive_once(field: Field) -> None:
    handler = field.handler("hq/epo")
    agent = field.agent("pc-1")
    agent.until(lambda status: status["last_handler"])
    handler.kill()
    keys = agent.ctl("event", "--id", "1092", "--severity", "4", "--text", "blocked", "--count", "25")["keys"]
    agent.process.kill()
    agent.process.start()
    until(lambda: "not called in" in agent.process.text(), what="a call that fails")
    assert len(list((agent.state / "events").iterdir())) == len(keys) == 25
    handler.start()
    until(lambda: not list((agent.state / "events").iterdir()), 20, "the spool empties")
    counted = query(field, "SELECT count(*), count(DISTINCT ThreatEventID) FROM EPOEvents")
    assert counted == [(25, 1)]


def test_a_spool_of_large_events_is_delivered_and_an_event_that_is_too_large_is_refused(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", asci_seconds=300)
    agent.until(lambda status: status["last_handler"])
    agent.ctl("event", "--id", "1092", "--text", "x" * 60_000, "--count", "100")
    agent.ctl("callin")
    until(lambda: not list((agent.state / "events").iterdir()), 20, "the spool empties")
    assert query(field, "SELECT count(*), count(DISTINCT EventKey) FROM EPOEvents") == [(100, 100)]
    with pytest.raises(AssertionError, match="an event of 12"):
        agent.ctl("event", "--id", "1092", "--text", "x" * 120_000)


def test_an_order_for_events_given_again_makes_no_second_ones(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1")
    agent.until(lambda status: status["last_handler"])
    order = ("event", "--id", "1092", "--count", "3", "--key", "burst")
    assert agent.ctl(*order)["keys"] == agent.ctl(*order)["keys"] == ["burst-1", "burst-2", "burst-3"]
    agent.ctl("callin")
    until(lambda: not list((agent.state / "events").iterdir()), 20, "the spool empties")
    agent.ctl(*order)
    agent.ctl("callin")
    until(lambda: not list((agent.state / "events").iterdir()), 20, "the spool empties again")
    assert query(field, "SELECT count(*), count(DISTINCT EventKey) FROM EPOEvents") == [(3, 3)]


def test_an_event_of_priority_does_not_wait_for_the_asci(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", asci_seconds=300)
    agent.until(lambda status: status["last_handler"])
    agent.ctl("event", "--id", "1024", "--severity", "5")
    agent.ctl("event", "--id", "1025", "--severity", "1")
    agent.until(lambda status: status["last_callin_reason"] == "event" and status["spooled_events"] == 1, 5)
    assert agent.status()["last_session"] == ["EVENTS (1)", "EVENTS ACCEPTED (1)"]
    (left,) = (agent.state / "events").iterdir()
    assert json.loads(left.read_text())["event_id"] == 1024


@pytest.mark.parametrize(("version", "connections"), [("4.8.0", 2), ("5.7.0", 1)])
def test_an_older_agent_may_connect_for_each_package(field: Field, version: str, connections: int) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", version=version, connection_per_package=True)
    status = agent.until(lambda status: status["last_callin_reason"] == "asci")
    assert [each.partition(" (")[0] for each in status["last_session"]] == [
        "PROPS VERSION",
        "REQUEST PROPS",
        "INC PROPS",
        "POLICY",
    ]
    assert status["last_connections"] == connections


@pytest.mark.parametrize(("version", "taken"), [("4.8.0", "relay, update"), ("5.7.0", "update")])
def test_only_policies_that_differ_travel_to_an_agent_of_5_x(field: Field, version: str, taken: str) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", version=version)
    packages = ("none", "relay", taken)
    for number, category in enumerate(("relay", "update", ""), start=1):
        until(lambda number=number: agent.process.text().count("new policies") == number, what=f"package {number}")
        if category:
            field.assign(agent, category, {})
    lines = [line for line in agent.process.text().splitlines() if "new policies" in line]
    assert [line.rpartition(": ")[2] for line in lines] == list(packages)


def test_a_wakeup_from_the_queue_makes_the_agent_call_in_with_its_id(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", asci_seconds=300)
    agent.until(lambda status: status["last_handler"])
    target = system_of(field, agent).id

    async def wake(store: Store) -> None:
        await store.work.add_wakeup(target, "batch-1", "wakeup-1", {}, None, 60)
        await store.work.announce()

    field.store(wake)
    status = agent.until(lambda status: status["last_wakeup_id"], 5)
    assert (status["last_wakeup_id"], status["last_callin_reason"]) == ("wakeup-1", "wakeup")


def test_forged_and_replayed_wakeups_are_refused(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", asci_seconds=300)
    guid = agent.until(lambda status: status["last_handler"])["guid"]
    real = seal_wakeup(field.key, guid)
    assert post_wakeup(agent, real)[0] == 202
    agent.until(lambda status: status["last_callin_reason"] == "wakeup", 5)
    refused = {
        "replayed": post_wakeup(agent, real),
        "wrong key": post_wakeup(agent, seal_wakeup(SigningKey.generate(), guid)),
        "other agent": post_wakeup(agent, seal_wakeup(field.key, guid, recipient="SOMEONE-ELSE")),
        "too old": post_wakeup(agent, seal_wakeup(field.key, guid, issued_at=time.time() - 301)),
        "from a stranger": post_wakeup(agent, seal_wakeup(field.key, guid), source="127.0.0.2"),
        "no envelope": post_wakeup(agent, b"wake up"),
    }
    assert {case: status for case, (status, _) in refused.items()} == dict.fromkeys(refused, 403)
    assert "seen before" in refused["replayed"][1]
    assert "127.0.0.2 is no handler" in refused["from a stranger"][1]
    agent.process.kill()
    agent.process.start()
    agent.until(lambda status: status["last_callin_reason"] == "start")
    assert post_wakeup(agent, real)[0] == 403


@pytest.mark.parametrize(("options", "sent"), [({}, 1), ({"full_policy": True}, 2)], ids=["changed ones", "all"])
def test_a_wakeup_may_have_all_policies_sent_again(field: Field, options: dict[str, bool], sent: int) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", asci_seconds=300)
    agent.until(lambda status: status["policy_version"])
    target = system_of(field, agent).id

    async def wake(store: Store) -> None:
        await store.work.add_wakeup(target, "batch-1", "wakeup-1", dict(options), None, 60)
        await store.work.announce()

    field.store(wake)
    agent.until(lambda status: status["last_wakeup_id"], 10)
    assert agent.process.text().count("new policies ") == sent


@pytest.mark.parametrize(("version", "status"), [("4.0.0", 403), ("4.5.0", 202)])
def test_the_second_handler_may_call_agents_since_4_5_only(field: Field, version: str, status: int) -> None:
    field.handler("hq/epo", fqdn="localhost")
    field.handler("dmz/ah", address="127.0.0.2", fqdn="127.0.0.2")
    agent = field.agent("pc-1", asci_seconds=300, version=version)
    guid = agent.until(lambda seen: seen["last_handler"])["guid"]
    agent.until(lambda seen: seen["sitelist_version"])
    assert post_wakeup(agent, seal_wakeup(field.key, guid))[0] == 202, "the first one may"
    assert post_wakeup(agent, seal_wakeup(field.key, guid), source="127.0.0.2")[0] == status
    assert post_wakeup(agent, seal_wakeup(field.key, guid), source="127.0.0.3")[0] == 403


def test_the_log_page_is_the_products(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1")
    guid = agent.until(lambda status: status["last_handler"])["guid"]
    connection = http.client.HTTPConnection("127.0.0.1", agent.port, 5)
    connection.request("GET", "/")
    answer = connection.getresponse()
    page = answer.read().decode()
    connection.close()
    assert answer.getheader("Content-Type", "").startswith("text/xml")
    assert f'<naLog ComputerName="pc-1" version="4.8.0" AgentGUID="{{{guid}}}">' in page
    assert "called in to hq/epo" in page


def test_an_agent_moves_to_the_next_handler_and_comes_back(field: Field) -> None:
    first = field.handler("hq/epo", fqdn="epo.field.test")
    field.handler("dmz/ah", address="127.0.0.2", fqdn="ah.field.test")
    agent = field.agent("pc-1", asci_seconds=1)
    agent.until(lambda status: (status["last_handler"] or {}).get("name") == "ePO_EPO")
    first.kill()
    agent.until(lambda status: status["last_handler"]["name"] == "ePO_AH")
    first.start()
    agent.until(lambda status: status["last_handler"]["name"] == "ePO_EPO")


@contextlib.contextmanager
def tls_host(field: Field, address: str, port: int) -> Iterator[None]:
    """Another TLS host of the same authority, which has nothing to say."""
    own = field.authority.issue("stranger", ["stranger.test"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own["certificate"], own["key"])

    class Greet(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError), context.wrap_socket(self.request, server_side=True):
                pass

    with socketserver.ThreadingTCPServer((address, port), Greet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_another_host_at_a_handlers_address_is_left_for_its_name(field: Field) -> None:
    field.handler("hq/epo")
    listed = field.sites[0]
    assert listed.secure_port is not None
    field.sites = (replace(listed, address="127.0.0.2"),)
    with tls_host(field, "127.0.0.2", listed.secure_port):
        status = field.agent("pc-1", asci_seconds=300).until(lambda status: status["last_handler"])
    assert [(each["places"], each["outcome"]) for each in status["last_attempts"]] == [
        ([f"127.0.0.2:{listed.secure_port}"], "untrusted"),
        ([f"localhost:{listed.secure_port}"], "no-error"),
    ]


def test_an_agent_whose_guid_is_taken_makes_a_new_one(field: Field) -> None:
    field.handler("hq/epo")
    agent = field.agent("pc-1", fqdn="pc-1.hq.test", **field.authority.issue("agent pc-1.hq.test", ["pc-1"]))
    guid = agent.until(lambda status: status["last_handler"])["guid"]
    agent.process.kill()
    (agent.state / "agent.key").write_text(signing.seed_text(SigningKey.generate()))
    (agent.state / "guid.json").write_text(f'{{"guid": "{guid}", "enrolled": false}}')
    (agent.state / "status.json").unlink()
    agent.process.start()
    status = agent.until(lambda status: status["last_handler"])
    assert status["enrolled"] and status["guid"] != guid


def test_nobody_enrols_as_another_machine(field: Field) -> None:
    field.handler("hq/epo")
    files = {name: field.authority.issue(f"agent {name}.hq.test", [name]) for name in ("pc-1", "pc-2")}
    agent = field.agent("pc-1", fqdn="pc-1.hq.test", **files["pc-1"])
    guid = agent.until(lambda status: status["last_handler"])["guid"]
    thief = field.agent("pc-2", computer_name="pc-1", fqdn="pc-1.hq.test", **files["pc-2"])
    until(lambda: "foreign-machine" in thief.process.text(), what="the thief is refused")
    now = time.time()
    status = agent.until(lambda status: status["last_callin_seconds"] > now)
    assert status["guid"] == guid and status["enrolled"]
