"""A running relay is no open proxy: hosts, ports, spellings, names, redirects; huge, slow and many requests."""

import asyncio
import contextlib
import socket
import time
from pathlib import Path

import pytest

from miniepo.agent.content_ways import ContentWay
from miniepo.agent.repository_line import open_line
from miniepo.errors import TransferError
from miniepo.protocol.discovery import Relay
from tests.integration.miniepo.relay.doors import (
    PATIENCE_SECONDS,
    QUICK,
    relaying,
    say_hello,
    serving,
    site,
    tls_of,
)

pytestmark = pytest.mark.integration

MOST_IN_FLIGHT_BYTES = 24 * 1024 * 1024
CLOSED = {7, 8}
"""CLOSE and CLOSE_WAIT of the kernel's states of a TCP connection."""


def test_only_the_listed_port_of_the_listed_host_is_dialled(tmp_path: Path) -> None:
    async def run() -> None:
        async with (
            serving(say_hello) as listed,
            serving(say_hello) as other,
            relaying(tmp_path, site(listed.port)) as door,
        ):
            here = listed.port
            for target in (f"127.0.0.1:{here}", f"[::ffff:127.0.0.1]:{here}", f"[::FFFF:7F00:0001]:{here}"):
                client = await door.ask(target)
                assert (await client.says())["ok"] is True, target
                assert await client.reader.readline() == b"hello\n"
                client.writer.close()
            strangers = [
                f"127.0.0.1:{other.port}",
                f"127.0.0.1:{door.port}",
                f"127.0.0.2:{here}",
                f"localhost:{here}",
                f"[::1]:{here}",
                f"0.0.0.0:{here}",
                f"127.1:{here}",
                f"2130706433:{here}",
                f"0x7f000001:{here}",
                f"0177.0.0.1:{here}",
                f"[::127.0.0.1]:{here}",
            ]
            said = [await door.told(target) for target in strangers]
            assert [(answer["ok"], answer["code"]) for answer in said] == [(False, "not-listed")] * len(strangers)
            garbage = [f"[fe80::1%lo]:{here}", f"127.0.0.1:{here}@127.0.0.1:{other.port}", "", f"127.0.0.1:{here}\r\nx"]
            said = [await door.told(target) for target in garbage]
            assert [answer["code"] for answer in said] == ["bad-request"] * len(garbage)
            assert other.visits == []

    asyncio.run(run())


def test_a_listed_name_that_leads_to_the_relay_itself_is_not_dialled(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(say_hello) as inside, relaying(tmp_path, site(inside.port, "localhost")) as door:
            for target in ("localhost", "LOCALHOST", "localhost.", "127.0.0.1", "[::1]"):
                said = await door.told(f"{target}:{inside.port}")
                assert (said["ok"], said["code"]) == (False, "not-listed"), target
            assert inside.visits == []

    asyncio.run(run())


def test_a_listed_site_that_redirects_leads_nobody_elsewhere(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(say_hello) as elsewhere:

            async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readuntil(b"\r\n\r\n")
                where = f"http://127.0.0.1:{elsewhere.port}/secret"
                writer.write(f"HTTP/1.1 302 Found\r\nLocation: {where}\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()

            async with serving(redirect) as listed, relaying(tmp_path, site(listed.port)) as door:
                way = ContentWay(Relay("G1", "relay-1", door.port, ("127.0.0.1",)))
                line = await open_line(site(listed.port), way, tls_of(tmp_path))
                with pytest.raises(TransferError, match="302"):
                    await line.read("catalog.z")
                await line.close()
                assert len(listed.visits) == 1 and elsewhere.visits == []

    asyncio.run(run())


def test_a_huge_request_is_cut_off(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(say_hello) as listed, relaying(tmp_path, site(listed.port)) as door:
            client = await door.connect()
            client.writer.write(b'{"connect": "' + b"a" * 4_000_000)
            assert await client.is_dropped()
            assert listed.visits == []

    asyncio.run(run())


def test_a_slow_request_is_cut_off_however_it_drips(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(say_hello) as listed, relaying(tmp_path, site(listed.port)) as door:
            client = await door.connect()
            began = time.monotonic()

            async def drip() -> None:
                while not client.writer.is_closing():
                    client.writer.write(b" ")
                    await asyncio.sleep(0.05)

            dripping = asyncio.create_task(drip())
            assert await client.is_dropped()
            dripping.cancel()
            assert time.monotonic() - began < PATIENCE_SECONDS / 2
            assert listed.visits == []

    asyncio.run(run())


def test_beyond_its_limits_the_relay_says_that_it_is_busy_and_serves_again_afterwards(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(say_hello) as listed, relaying(tmp_path, site(listed.port)) as door:
            target = f"127.0.0.1:{listed.port}"
            held = [await door.ask(target) for _ in range(QUICK.connections_of_one)]
            assert [(await client.says())["ok"] for client in held] == [True] * len(held)
            said = await door.told(target)
            assert (said["ok"], said["code"]) == (False, "busy")
            assert "of 127.0.0.1 are in use" in str(said["error"])
            for client in held:
                client.writer.close()
            until = time.monotonic() + PATIENCE_SECONDS
            while not (await door.told(target))["ok"]:
                assert time.monotonic() < until
            assert len(listed.visits) == QUICK.connections_of_one + 1

    asyncio.run(run())


def test_both_sides_end_when_either_ends_and_when_nothing_moves(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving() as listed, relaying(tmp_path, site(listed.port)) as door:
            quiet, by_site, by_client = [await door.ask(f"127.0.0.1:{listed.port}") for _ in range(3)]
            for client in (quiet, by_site, by_client):
                assert (await client.says())["ok"]
            listed.visits[1].close()
            assert await by_site.is_dropped()
            by_client.writer.close()
            assert await quiet.is_dropped(), "after a second without a byte"
            for visit in listed.visits:
                at_site = visit.transport.get_extra_info("socket")
                assert await closed_by_peer(at_site), "the relay ends its connection to the site too"

    asyncio.run(run())


def state_of(connected: socket.socket) -> int:
    return connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]


async def closed_by_peer(connected: socket.socket) -> bool:
    """Whether the other end of a connection is closed before long."""
    until = time.monotonic() + PATIENCE_SECONDS
    while connected.fileno() >= 0 and state_of(connected) not in CLOSED:
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.05)
    return True


def test_a_site_that_does_not_read_fills_no_memory_of_the_relay(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving() as listed, relaying(tmp_path, site(listed.port)) as door:
            client = await door.ask(f"127.0.0.1:{listed.port}")
            assert (await client.says())["ok"]
            taken = 0
            with contextlib.suppress(ConnectionError, TimeoutError):
                while taken < 4 * MOST_IN_FLIGHT_BYTES:
                    client.writer.write(bytes(256 * 1024))
                    await asyncio.wait_for(client.writer.drain(), 5)
                    taken += 256 * 1024
            assert 0 < taken < MOST_IN_FLIGHT_BYTES

    asyncio.run(run())
