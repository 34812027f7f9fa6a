"""A connection that one process accepted is served by another, from its first byte on."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from miniepo.clock import SystemClock
from miniepo.config import RelayConfig
from miniepo.protocol import sitelist
from miniepo.protocol.sitelist import SiteList
from miniepo.relay.app import RelayService
from miniepo.wire import http_request
from miniepo.wire.handover import RELAY, Taker, hand_over
from miniepo.wire.http_response import Response
from miniepo.wire.http_server import HttpServer
from tests.integration.miniepo.relay.doors import Door, say_hello, serving, site

pytestmark = pytest.mark.integration
NAME = f"\0handover-{os.getpid()}"
GET = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
GIVER = """
import asyncio, sys
from miniepo.wire.handover import hand_over
async def accept(reader, writer):
    first = await reader.read(4096)
    print(hand_over(writer, first, sys.argv[1]), flush=True)
    writer.close()
async def run():
    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(run())
"""


def test_a_connection_outlives_the_process_that_gave_it_away() -> None:
    async def run(giver: subprocess.Popen[str]) -> None:
        taken: list[tuple[socket.socket, bytes]] = []
        there = asyncio.Event()

        async def take(connected: socket.socket, first: bytes) -> None:
            taken.append((connected, first))
            there.set()

        taker = Taker(take, f"{NAME}-1")
        taker.start()
        assert giver.stdout is not None
        port = int(giver.stdout.readline())
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello")
        await asyncio.wait_for(there.wait(), 10)
        giver.kill()
        giver.wait()
        ((connected, first),) = taken
        assert first == b"hello"
        connected.sendall(b"from another")
        connected.close()
        assert await asyncio.wait_for(reader.read(), 10) == b"from another"
        writer.close()
        await taker.close()

    argv = [sys.executable, "-c", GIVER.replace("sys.argv[1]", repr(f"{NAME}-1"))]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as giver:
        try:
            asyncio.run(run(giver))
        finally:
            giver.kill()


def test_where_nobody_takes_it_nothing_is_handed_over() -> None:
    async def run() -> bool:
        answers: list[bool] = []

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            answers.append(hand_over(writer, await reader.read(10), f"{NAME}-2"))
            writer.close()

        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"x")
        assert await asyncio.wait_for(reader.read(), 10) == b""
        writer.close()
        server.close()
        return answers[0]

    assert asyncio.run(run()) is False


def test_a_relay_serves_what_an_agent_of_5_hands_over_and_the_rest_stays_http(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(say_hello) as listed:
            (tmp_path / "SiteList.xml").write_text(sitelist.write(SiteList("EPO", "1", (site(listed.port),))))
            config = RelayConfig(
                shared=True,
                discovery_ports=(),
                sitelist=str(tmp_path / "SiteList.xml"),
                computer_name="relay-1",
                guid="G1",
            )
            relay = RelayService(config, SystemClock())
            await relay.start()

            async def page(_: object) -> Response:
                return Response(200, b"the log page")

            agent = HttpServer(page, divert=lambda writer, first: first.startswith(b"{") and hand_over(writer, first))
            door = Door(await agent.start(["127.0.0.1"], 0))
            for _ in range(http_request.Limits().connections):
                await door.connect()  # who says nothing keeps nobody out
            client = await door.ask(f"127.0.0.1:{listed.port}")
            assert (await client.says())["ok"] is True
            assert await client.reader.readline() == b"hello\n"
            assert (await door.told("127.0.0.1:1"))["code"] == "not-listed"
            assert (await door.told("a" * 5000))["code"] == "bad-request"
            browser = await door.connect()
            browser.writer.write(GET)
            assert (await asyncio.wait_for(browser.reader.read(), 10)).endswith(b"the log page")
            door.close()
            await agent.close()
            await relay.close()

    assert RELAY not in Path("/proc/net/unix").read_text()
    asyncio.run(run())
