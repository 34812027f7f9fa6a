"""The DataChannel between real processes: server, handlers, agents, PostgreSQL, mutual TLS."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from field import AgentProcess, Authority, Process, free_port, until
from managed import Managed, open_managed

from miniepo import config
from miniepo.store.store import Store

pytestmark = pytest.mark.integration

PUBLISHED = (
    r"\d{14} E Srv \d+ McUpload Failed to send http request\.  Error=12029 \(12029\)",
    r"\d{14} E Srv \d+ NAIMSRV  ForwardDataChannelMessageToJava - Failed to send request, err=0x80004005, "
    r"HTTP status code=0",
)
LONG = 3600


class World:
    """A managed world with a DataChannel, and what the tests ask of it."""

    def __init__(self, managed: Managed) -> None:
        self.managed = managed
        self.field = managed.field
        self.folder = managed.field.folder
        self.console = managed.console
        self.port = free_port()
        self.redirect = self.folder / "DCRedirect"
        self.redirect.write_text("5.9.1\n")
        self.server_log = self.folder / "server.log"

    def server(self, **more: Any) -> Process:
        channel = {"port": self.port, "redirect_file": str(self.redirect)}
        return self.managed.server(datachannel=channel, **more)

    def again(self, server: Process) -> None:
        """Start a server that was killed."""
        said = server.text().count("listening on")
        server.start()
        until(lambda: server.text().count("listening on") > said, what="the server listens again")

    def handler(self, name: str = "hq/epo", **more: Any) -> Process:
        """A handler with a certificate of its own for the way up."""
        own = self.certificate(name)
        redirect = self.folder / "DCRedirect-handler"
        shutil.copy(self.redirect, redirect)
        channel = {
            "url": f"https://localhost:{self.port}",
            "certificate": own["certificate"],
            "key": own["key"],
            "redirect_file": str(redirect),
        }
        return self.field.handler(name, datachannel=channel, server_log=str(self.server_log), **more)

    def certificate(self, handler: str, **more: Any) -> dict[str, str]:
        return self.field.authority.issue(
            f"DataChannelAH_{handler}", ["localhost"], file=f"channel-{handler.replace('/', '-')}", **more
        )

    def agent(self, name: str = "pc-1", **more: Any) -> AgentProcess:
        agent = self.field.agent(name, **{"asci_seconds": LONG} | more)
        agent.until(lambda status: status["last_callin"])
        return agent

    def send(self, names: str, **more: str) -> dict[str, Any]:
        return dict(self.console.json("miniepo.sendChannelMessage", names=names, text="hello", **more))

    def answers(self, sent: dict[str, Any]) -> list[dict[str, Any]]:
        return list(self.console.json("miniepo.listChannelAnswers", correlation=sent["correlation"]))

    def items(self, sent: dict[str, Any]) -> list[dict[str, Any]]:
        return list(self.console.json("miniepo.listChannelItems", batch=sent["batch"]))

    def answered(self, sent: dict[str, Any], seconds: float = 15.0) -> list[dict[str, Any]]:
        """The answers when there are as many as systems were asked."""
        return until(
            lambda: found if len(found := self.answers(sent)) >= sent["systems"] else None, seconds, "the answers come"
        )

    def callins(self, name: str) -> int:
        return len(self.console.json("miniepo.listCallins", name=name))

    def rows(self, sql: str) -> list[Any]:
        with psycopg.connect(host=self.field.database.host, user="epo", dbname=self.field.database.name) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture
def world(tmp_path: Path, database: config.Database) -> Iterator[World]:
    with open_managed(tmp_path, database) as managed:
        yield World(managed)


def outbox(agent: AgentProcess) -> int:
    return len(list((agent.state / "datachannel/outbox").glob("*.json")))


def test_a_message_goes_round_beside_the_agent_server_communication(world: World) -> None:
    world.server()
    world.handler("hq/epo")
    agents = [world.agent(name) for name in ("pc-1", "pc-2")]
    before = [world.callins(name) for name in ("pc-1", "pc-2")]
    sent = world.send("pc-1,pc-2")
    answers = world.answered(sent)
    assert {each["name"]: (each["kind"], each["handler"], each["payload"]) for each in answers} == {
        name: ("echoed", "hq/epo", {"text": "hello", "computer_name": name}) for name in ("pc-1", "pc-2")
    }
    assert [world.callins(name) for name in ("pc-1", "pc-2")] == before, "no call-in was needed"
    assert {item["outcome"] for item in world.items(sent)} == {"delivered"}
    assert world.rows("select count(*) as count from epoagenthandlerdatachannelwq") == [(2,)]
    assert world.rows("select * from epoagenthandlerdatachannelwq where Finished is NULL") == []
    attempts = world.rows("select Outcome from EPOAgentHandlerDatachannelWQAttempts")
    assert attempts == [("told",), ("told",)]
    assert [outbox(agent) for agent in agents] == [0, 0]
    assert not world.server_log.exists()


def test_the_channel_and_the_agent_server_communication_go_on_at_the_same_time(world: World) -> None:
    world.server()
    world.handler("hq/epo")
    agent = world.agent(asci_seconds=1)
    before = world.callins("pc-1")
    sent = [world.send("pc-1") for _ in range(20)]
    for each in sent:
        assert len(world.answered(each)) == 1
    until(lambda: world.callins("pc-1") >= before + 3, what="the agent goes on calling in")
    log = agent.process.text()
    assert "not called in" not in log and "no visit to the DataChannel" not in log
    assert world.rows("select count(*), count(distinct MessageID) from EPODataChannelReceived") == [(20, 20)]


def test_visits_count_into_the_handlers_connections(world: World) -> None:
    world.server()
    world.handler("hq/epo", max_connections=2)
    agent = world.agent()
    port = world.field.sites[0].secure_port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
        sent = world.send("pc-1")
        until(lambda: "answered 503: " in agent.process.text(), what="the handler is full for the visit")
        assert world.answers(sent) == []
    assert len(world.answered(sent)) == 1


def break_and_mend(world: World, handler: str) -> Iterator[str]:
    """Each way in which the way up fails; mended when the next value is asked for."""
    files = [world.folder / f"channel-hq-epo.{end}" for end in ("pem", "key")]
    good = [path.read_bytes() for path in files]

    def mend() -> None:
        for path, data in zip(files, good, strict=True):
            path.write_bytes(data)

    files[0].unlink()
    yield "missing"
    mend()
    world.certificate(handler, expired=True)
    yield "expired"
    mend()
    world.certificate("other/ah")
    for end in ("pem", "key"):
        (world.folder / f"channel-other-ah.{end}").replace(world.folder / f"channel-hq-epo.{end}")
    yield "another handler's"
    mend()
    (world.folder / "strangers").mkdir()
    stranger = Authority(world.folder / "strangers").issue(f"DataChannelAH_{handler}", ["x"], file="x")
    shutil.copy(stranger["certificate"], files[0])
    shutil.copy(stranger["key"], files[1])
    yield "another CA's"
    mend()
    (world.folder / "DCRedirect-handler").write_text("4.5.0\n")
    yield "a mismatched DCRedirect extension"
    shutil.copy(world.redirect, world.folder / "DCRedirect-handler")


def test_each_broken_way_up_says_the_published_lines_and_mends_itself(world: World) -> None:
    world.server()
    handler = world.handler("hq/epo")
    agent = world.agent()
    for reason in break_and_mend(world, "hq/epo"):
        world.server_log.unlink(missing_ok=True)
        sent = world.send("pc-1")
        until(
            lambda: world.server_log.exists() and len(world.server_log.read_text().splitlines()) >= 2,
            what=f"lines in server.log: {reason}",
        )
        lines = world.server_log.read_text().splitlines()
        assert re.fullmatch(PUBLISHED[0], lines[0]) and re.fullmatch(PUBLISHED[1], lines[1]), (reason, lines)
        assert world.answers(sent) == [] and outbox(agent) >= 1, reason
        last = sent
    until(lambda: len(world.answers(last)) == 1, 90, "the last message is delivered once all is mended")
    until(lambda: outbox(agent) == 0, what="the outbox is empty")
    assert handler.process.poll() is None
    received = world.rows("select MessageID, count(*) from EPODataChannelReceived group by 1")
    assert len(received) == 5 and {count for _, count in received} == {1}


def test_a_server_that_is_away_gets_every_message_once_when_it_is_back(world: World) -> None:
    server = world.server()
    world.handler("hq/epo")
    agent = world.agent()
    sent = world.send("pc-1")
    server.kill()
    until(lambda: outbox(agent) == 1 or world.rows("select 1 from EPODataChannelReceived"), what="the agent answers")
    world.again(server)
    assert len(world.answered(sent, 60)) == 1
    until(lambda: outbox(agent) == 0, what="the outbox is empty")
    assert world.rows("select count(*) from EPODataChannelReceived") == [(1,)]


def test_an_agent_that_cannot_be_told_looks_after_its_next_call_in(world: World) -> None:
    world.server()
    world.handler("hq/epo")
    agent = world.agent("pc-1", listen=["127.0.0.9"])
    sent = world.send("pc-1")
    until(lambda: world.rows("select 1 from EPOAgentHandlerDatachannelWQAttempts where Outcome = 'unreachable'"))
    assert world.answers(sent) == [] and world.items(sent)[0]["outcome"] is None
    agent.ctl("callin")
    assert len(world.answered(sent)) == 1
    assert world.items(sent)[0]["outcome"] == "delivered"


def test_no_channel_with_an_epo_before_4_5(world: World) -> None:
    world.server()
    world.handler("hq/epo", epo_version="4.0.0")
    agent = world.agent()
    agent.until(lambda status: status["sitelist_version"])
    sent = world.send("pc-1")
    until(lambda: world.rows("select 1 from EPOAgentHandlerDatachannelWQAttempts where Outcome = 'told'"))
    agent.ctl("callin")
    agent.ctl("callin")
    assert world.answers(sent) == [] and world.items(sent)[0]["outcome"] is None


def test_in_4_5_mode_a_remote_handler_waits_until_the_server_tells_it(world: World) -> None:
    server = world.server(epo_version="4.5.0")
    world.handler("dmz/ah", master={"url": "https://localhost:1/"})
    world.agent()
    assert len(world.answered(world.send("pc-1"))) == 1, "the server told the handler"
    server.kill()

    async def queue(store: Store) -> None:
        system = (await store.systems.named(["pc-1"]))[0]
        await store.datachannel.add([system.id], "B", "EPOAGENT3000", "echo", "c", {}, 60)
        await store.datachannel.announce()

    world.field.store(queue)
    beat = "select LastUpdate from EPOAgentHandlers"
    before = world.rows(beat)
    until(lambda: world.rows(beat) != before, what="the handler's heartbeat, ten polls later")
    waiting = "select Attempts, Finished from EPOAgentHandlerDatachannelWQ where BatchUid='B'"
    assert world.rows(waiting) == [(0, None)], "nobody has claimed it"
    world.again(server)
    until(lambda: world.rows(waiting)[0][1] is not None, what="the server tells the handler")
