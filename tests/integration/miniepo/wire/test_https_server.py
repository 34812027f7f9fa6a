"""The limit of connections over real sockets: counted however slow, refused in words, freed when cut off."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from field import Authority, free_port, until

from miniepo import config
from miniepo.protocol.relay_session import Endpoint
from miniepo.wire import door
from miniepo.wire.http_client import HttpConnection
from miniepo.wire.https_server import BodyLimit, Listener, serve
from miniepo.wire.slots import Slots
from miniepo.wire.stream import Stream, connect, start_tls
from miniepo.wire.tls import client_context

pytestmark = pytest.mark.integration
LIMIT = 3
BIG = b"x" * (16 << 20)


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body, message = b"", {"more_body": True}
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def shout(scope: Any, receive: Any, send: Any) -> None:
    """An answer that no buffer on the way takes as a whole."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(BIG))]})
    await send({"type": "http.response.body", "body": BIG})


class Lab:
    """One server with a plain and a TLS port that share their slots."""

    def __init__(self, folder: Path) -> None:
        authority = Authority(folder)
        self.tls = config.Tls(**authority.issue("server", ["localhost", "127.0.0.1"]))
        self.client = config.Tls(**authority.issue("client", ["client"]))
        self.slots = Slots(LIMIT)
        self.http, self.https = free_port(), free_port()
        self._opened: list[Stream] = []

    @contextlib.asynccontextmanager
    async def served(self, app: Any = echo) -> AsyncIterator[None]:
        listeners = [Listener(self.http), Listener(self.https, self.tls, verify_client=True)]
        app = BodyLimit(app, lambda path: 1000, stall_seconds=0.3)
        task = asyncio.create_task(serve(app, ["127.0.0.1"], listeners, self.slots))
        await asyncio.to_thread(until, lambda: _answers(self.http))
        try:
            yield
        finally:
            for stream in self._opened:
                await stream.close()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def idle(self, port: int | None = None) -> Stream:
        """A connection that says nothing; to the TLS port: that does not even begin the handshake."""
        stream = await connect(Endpoint("127.0.0.1", port or self.https))
        self._opened.append(stream)
        return stream

    async def line(self) -> HttpConnection:
        stream = await self.idle()
        await start_tls(stream, client_context(self.tls.ca, self.client.certificate, self.client.key), "localhost")
        return HttpConnection(stream, "localhost", idle_seconds=5)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


async def free(lab: Lab, serving: int) -> None:
    """Wait until so many connections hold a slot."""
    await asyncio.to_thread(until, lambda: lab.slots.serving == serving, 5, f"{serving} hold a slot")


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.setattr(door, "HANDSHAKE_SECONDS", 1.0)
    monkeypatch.setattr(door, "HEAD_SECONDS", 0.5)
    return Lab(tmp_path)


def test_one_above_the_limit_is_refused_in_words_and_the_next_is_served_when_one_has_gone(lab: Lab) -> None:
    async def run() -> None:
        async with lab.served():
            await free(lab, 0)
            plain = HttpConnection(await lab.idle(lab.http), "localhost", 5)
            assert (await plain.request("POST", "/", b"abc")).body == b"abc"
            held = [await lab.line() for _ in range(LIMIT - 1)]
            for each in held:
                assert (await each.request("POST", "/", b"abc")).status == 200
            extra = await lab.line()
            answer = await extra.request("POST", "/", b"x" * 500)
            assert answer.status == 503
            assert answer.headers["retry-after"] == str(door.RETRY_AFTER_SECONDS)
            assert b"all connections of this handler are in use" in answer.body
            assert lab.slots.refused == 1
            await held[0].close()
            await free(lab, LIMIT - 1)
            again = await lab.line()
            assert (await again.request("POST", "/", b"abc")).status == 200

    asyncio.run(run())


def test_connections_that_do_not_finish_the_handshake_count_and_lose_their_slot(lab: Lab) -> None:
    async def run() -> None:
        async with lab.served():
            await free(lab, 0)
            slow = [await lab.idle() for _ in range(LIMIT)]
            await free(lab, LIMIT)
            extra = await lab.line()
            assert (await extra.request("POST", "/")).status == 503
            for each in slow:
                assert await asyncio.wait_for(each.reader.read(), 5) == b""
            await free(lab, 0)

    asyncio.run(run())


def test_a_head_that_comes_byte_by_byte_is_cut_off(lab: Lab) -> None:
    async def run() -> None:
        async with lab.served():
            await free(lab, 0)
            line = await lab.line()
            line.stream.writer.write(b"POST / HTTP/1.1\r\n")
            await free(lab, 1)
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await drip(line.stream)
            await free(lab, 0)

    asyncio.run(run())


async def drip(stream: Stream) -> None:
    """Say a little more every tenth of a second, until the other side has had enough."""
    for number in range(100):
        stream.writer.write(f"X-{number}: y\r\n".encode())
        await stream.writer.drain()
        with contextlib.suppress(TimeoutError):
            assert await asyncio.wait_for(stream.reader.read(1), 0.1) == b""
            return
    raise AssertionError("a head that never ends was listened to for ten seconds")


@pytest.mark.parametrize("announced", [100, 2000])
def test_a_body_that_stalls_or_is_too_long_frees_the_slot(lab: Lab, announced: int) -> None:
    async def run() -> None:
        async with lab.served():
            await free(lab, 0)
            line = await lab.line()
            head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {announced}\r\n\r\n"
            line.stream.writer.write(head.encode() + b"some of it")
            await free(lab, 1)
            await asyncio.wait_for(line.stream.reader.read(), 5)
            await free(lab, 0)

    asyncio.run(run())


def test_a_body_without_an_announced_length_is_cut_at_the_limit(lab: Lab) -> None:
    async def run() -> None:
        async with lab.served():
            await free(lab, 0)
            line = await lab.line()
            line.stream.writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                for _ in range(1000):
                    line.stream.writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
                    await line.stream.writer.drain()
                await asyncio.wait_for(line.stream.reader.read(), 5)
            await free(lab, 0)

    asyncio.run(run())


async def deaf_client(lab: Lab) -> socket.socket:
    """A client of the lab over TLS that says goodbye as soon as its answer comes, and reads nothing of it."""

    def ask() -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", lab.https))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.create_default_context(cafile=lab.tls.ca)
        context.load_cert_chain(lab.client.certificate, lab.client.key)
        secured = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                secured.do_handshake()
                break
            except ssl.SSLWantReadError:
                plain.sendall(outgoing.read())
                incoming.write(plain.recv(65536))
        secured.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        plain.sendall(outgoing.read())
        while len(plain.recv(65536, socket.MSG_PEEK)) < 65536:
            pass
        with contextlib.suppress(ssl.SSLError):
            secured.unwrap()
        plain.sendall(outgoing.read())
        return plain

    return await asyncio.to_thread(ask)


def test_who_says_goodbye_over_tls_without_reading_its_answer_holds_its_slot_until_it_is_cut_off(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "STUCK_SECONDS", 2.0)

    async def run() -> None:
        async with lab.served(shout):
            await free(lab, 0)
            with await deaf_client(lab) as client:
                await asyncio.sleep(1)
                assert lab.slots.serving == 1, "its answer is not taken yet"
                await free(lab, 0)
                client.settimeout(5)
                with contextlib.suppress(ConnectionError):
                    while client.recv(65536):
                        pass

    asyncio.run(run())


def test_an_answer_that_is_taken_slowly_over_tls_comes_whole(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes longer than an idle connection is kept, and than a closing one has."""
    monkeypatch.setattr("miniepo.wire.https_server._KEEP_ALIVE_SECONDS", 1)

    async def run() -> None:
        async with lab.served(shout):
            await free(lab, 0)
            line = await lab.line()
            line.stream.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 * 1024)
            line.stream.writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await line.stream.reader.readuntil(b"\r\n\r\n")
            left = len(BIG)
            while left:
                taken = len(await asyncio.wait_for(line.stream.reader.read(512 * 1024), 5))
                assert taken, f"cut off {left} bytes before the end"
                left -= taken
                await asyncio.sleep(0.15)

    asyncio.run(run())


def test_new_certificates_are_shown_without_a_restart_and_both_authorities_are_trusted_meanwhile(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("miniepo.wire.tls.LOOK_AGAIN_SECONDS", 0.0)
    (tmp_path / "new").mkdir()
    new = Authority(tmp_path / "new")
    renewed = config.Tls(**new.issue("server", ["localhost"]))
    both = Path(lab.tls.ca).read_bytes() + new.ca.read_bytes()
    new_key, new_certificate = Path(renewed.key).read_bytes(), Path(renewed.certificate).read_bytes()

    async def run() -> None:
        async with lab.served():
            await free(lab, 0)
            before = await lab.line()
            assert (await before.request("POST", "/")).status == 200
            put(lab.tls.ca, both)
            put(lab.tls.key, b"half of a")
            assert (await (await lab.line()).request("POST", "/")).status == 200
            put(lab.tls.key, new_key)
            put(lab.tls.certificate, new_certificate)
            after = await lab.line()
            assert (await after.request("POST", "/")).status == 200
            secured = after.stream.writer.get_extra_info("ssl_object")
            assert secured.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(new_certificate.decode())
            assert (await before.request("POST", "/")).status == 200

    asyncio.run(run())


def put(path: str, data: bytes) -> None:
    Path(path).write_bytes(data)
