"""The small servers and clients over real sockets: HTTP with ranges and limits, echoes, the control socket."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from miniepo.errors import SilentError, TransferError, UnreachableError
from miniepo.protocol.relay_session import Endpoint
from miniepo.wire.control import ControlSocket, ask
from miniepo.wire.http_client import HttpConnection
from miniepo.wire.http_request import Limits, Request
from miniepo.wire.http_response import Response
from miniepo.wire.http_server import Handle, HttpServer
from miniepo.wire.stream import Stream, address_of, connect, connect_first

pytestmark = pytest.mark.integration
CONTENT = os.urandom(3_000_000)


@asynccontextmanager
async def opened(port: int) -> AsyncIterator[HttpConnection]:
    line = HttpConnection(await connect(Endpoint("127.0.0.1", port)), "localhost", idle_seconds=5)
    try:
        yield line
    finally:
        await line.close()


@asynccontextmanager
async def serving(handle: Handle, limits: Limits) -> AsyncIterator[int]:
    server = HttpServer(handle, limits)
    try:
        yield await server.start(["127.0.0.1"], 0)
    finally:
        await server.close()


def test_requests_follow_each_other_on_one_connection(tmp_path: Path) -> None:
    (tmp_path / "content").write_bytes(CONTENT)

    async def handle(request: Request) -> Response:
        if request.method == "PUT":
            return Response(200, (await request.body(1000))[::-1])
        if request.path == "/file":
            return Response(200, file=tmp_path / "content")
        return Response(200, file=tmp_path / "gone")

    async def run() -> None:
        async with serving(handle, Limits(body_bytes=2000)) as port:
            async with opened(port) as line:
                assert (await line.request("PUT", "/", b"abc")).body == b"cba"
                assert (await line.request("GET", "/file")).body == CONTENT
                part = await line.request("GET", "/file", headers=[("Range", "bytes=-5")])
                assert (part.status, part.body) == (206, CONTENT[-5:])
                assert part.headers["content-range"] == "bytes 2999995-2999999/3000000"
                assert (await line.request("GET", "/file", headers=[("Range", "bytes=3000000-")])).status == 416
                assert (await line.request("GET", "/gone")).status == 404
                assert line.reusable
                with pytest.raises(TransferError, match="more than 1000 bytes"):
                    await line.request("GET", "/file", limit_bytes=1000)
            async with opened(port) as line:
                with pytest.raises(TransferError):
                    await line.request("PUT", "/", b"x" * 1001)

    asyncio.run(run())


def test_a_server_does_not_wait_for_ever_and_does_not_take_too_many() -> None:
    done = asyncio.Event()

    async def handle(request: Request) -> Response:
        if request.path == "/slow":
            await done.wait()
        return Response(200, b"here")

    async def run() -> None:
        async with serving(handle, Limits(connections=1, first_seconds=0.2, idle_seconds=0.4)) as port:
            silent = await connect(Endpoint("127.0.0.1", port))
            assert await asyncio.wait_for(silent.reader.read(), 2) == b"", "an idle connection is closed"
            await silent.close()
            async with opened(port) as first:
                slow = asyncio.create_task(first.request("GET", "/slow"))
                await asyncio.sleep(0.05)
                async with opened(port) as second:
                    with pytest.raises(TransferError):
                        await second.request("GET", "/")
                done.set()
                assert (await slow).body == b"here"
            async with opened(port) as third:
                assert (await third.request("GET", "/")).body == b"here"

    asyncio.run(run())


SILENT = {
    "nothing": (b"", Limits(first_seconds=20)),
    "half a head": (b"GET / HTTP/1.1\r\n", Limits(first_seconds=20)),
    "no body": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", Limits(first_seconds=0.5)),
    "no other request": (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", Limits(first_seconds=0.5)),
}


@pytest.mark.parametrize(("said", "limits"), SILENT.values(), ids=SILENT)
def test_who_is_silent_gives_way_when_all_connections_are_in_use(said: bytes, limits: Limits) -> None:
    async def handle(request: Request) -> Response:
        await request.body(1000)
        return Response(200, b"served")

    async def run() -> None:
        async with serving(handle, limits) as port:
            silent = [await connect(Endpoint("127.0.0.1", port)) for _ in range(limits.connections)]
            for each in silent:
                each.writer.write(said)
            assert await served_again(port)
            assert await served_again(port)
            for each in silent:
                each.abort()

    asyncio.run(run())


@pytest.mark.parametrize(
    "beginning", [b"", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"], ids=["head", "body"]
)
def test_who_drips_byte_by_byte_is_cut_off_and_the_next_is_served(beginning: bytes) -> None:
    async def handle(request: Request) -> Response:
        return Response(200, await request.body(1000))

    async def run() -> None:
        async with serving(handle, Limits(connections=1, idle_seconds=0.3)) as port:
            slow = await connect(Endpoint("127.0.0.1", port))
            slow.writer.write(beginning)
            dripping = asyncio.create_task(drip(slow))
            with contextlib.suppress(ConnectionResetError):  # the kernel's word for it when a byte was on its way
                assert await asyncio.wait_for(slow.reader.read(), 5) == b""
            dripping.cancel()
            slow.abort()
            async with opened(port) as next_one:
                assert (await next_one.request("POST", "/", b"x")).body == b"x"

    async def drip(slow: Stream) -> None:
        while True:
            slow.writer.write(b"x")
            await slow.writer.drain()
            await asyncio.sleep(0.02)

    asyncio.run(run())


@pytest.mark.parametrize("path", ["/file", "/memory"])
def test_who_does_not_read_its_answer_is_cut_off_and_the_next_is_served(tmp_path: Path, path: str) -> None:
    big = bytes(16 << 20)
    (tmp_path / "content").write_bytes(big)

    async def handle(request: Request) -> Response:
        answers = {"/file": Response(200, file=tmp_path / "content"), "/memory": Response(200, big)}
        return answers.get(request.path, Response(200, b"served"))

    async def run() -> None:
        async with serving(handle, Limits(connections=1, idle_seconds=0.5)) as port:
            deaf = await connect(Endpoint("127.0.0.1", port))
            deaf.writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            await deaf.reader.readuntil(b"\r\n\r\n")
            assert await served_again(port)
            await deaf.close()

    asyncio.run(run())


async def served_again(port: int) -> bool:
    """Whether somebody else is served within some seconds."""
    for _ in range(50):
        with contextlib.suppress(OSError, TransferError):
            async with opened(port) as line:
                return (await line.request("GET", "/")).body == b"served"
        await asyncio.sleep(0.1)
    return False


def test_the_first_address_that_answers_is_taken() -> None:
    async def run() -> None:
        async with serving(lambda request: asyncio.sleep(0, Response(200)), Limits()) as port:
            stream = await connect_first([Endpoint("127.0.0.2", port), Endpoint("127.0.0.1", port)])
            assert stream.peer_address == "127.0.0.1"
            await stream.close()
            with pytest.raises(UnreachableError) as refused:
                await connect_first([Endpoint("127.0.0.2", port), Endpoint("::1", port)])
            assert not isinstance(refused.value, SilentError)

    asyncio.run(run())


def test_who_is_refused_has_lost_its_head_start() -> None:
    async def run() -> float:
        loop = asyncio.get_running_loop()
        async with serving(lambda request: asyncio.sleep(0, Response(200)), Limits()) as port:
            began = loop.time()
            for _ in range(10):
                refused = [Endpoint(address, port) for address in ("127.0.0.2", "127.0.0.3", "127.0.0.4")]
                await (await connect_first([*refused, Endpoint("127.0.0.1", port)])).close()
            return loop.time() - began

    assert asyncio.run(run()) < 10 * 0.25, "one head start for each of ten connections would be as long"


def test_the_control_socket_answers_its_owner_line_by_line(tmp_path: Path) -> None:
    async def answer(line: bytes) -> bytes:
        return line.upper()

    async def run() -> None:
        control = ControlSocket(tmp_path / "control.sock", answer)
        await control.start()
        assert await ask(tmp_path / "control.sock", b"hello\n", 5) == b"HELLO\n"
        assert (tmp_path / "control.sock").stat().st_mode & 0o777 == 0o600
        await control.close()
        with pytest.raises(UnreachableError, match="is the agent running"):
            await ask(tmp_path / "control.sock", b"hello\n", 5)

    asyncio.run(run())


PING = """
import asyncio, sys
from miniepo.wire.ping import ping
print([asyncio.run(ping(address, 0.3)) for address in sys.argv[1:]])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="a network namespace needs root")
def test_an_echo_takes_no_time_at_home_and_nothing_comes_from_nowhere() -> None:
    allow = "ip link set lo up; echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range; "
    words = ["unshare", "-n", "sh", "-c", allow + 'exec "$@"', "sh", sys.executable, "-c", PING]
    done = subprocess.run([*words, "127.0.0.1", "::1", "192.0.2.1"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    near_v4, near_v6, nowhere = json.loads(done.stdout.replace("None", "null"))
    assert 0 < near_v4 < 250 and 0 < near_v6 < 250 and nowhere is None


def test_a_connection_that_is_gone_still_says_with_whom_it_was() -> None:
    async def run() -> None:
        async with serving(lambda request: asyncio.sleep(0, Response(200)), Limits()) as port:
            stream = await connect(Endpoint("127.0.0.1", port))
            stream.abort()
            await asyncio.sleep(0)
            assert (stream.local_address, stream.peer_address) == ("127.0.0.1", "127.0.0.1")
            assert address_of(stream.writer, "no such end") == ""

    asyncio.run(run())
