"""Whoever is above the limit is told so, when to come back, and that the connection ends."""

from __future__ import annotations

import asyncio
import socket
from types import SimpleNamespace
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from miniepo.wire.door import RETRY_AFTER_SECONDS, STUCK_SECONDS, Connection, busy
from miniepo.wire.uptake import Uptake
from tests.unit.miniepo.standins import SetClock

BODY_BYTES = 100_000


class PlayedTransport:
    """A transport whose peer takes what it likes."""

    def __init__(self) -> None:
        self.left = self.taken = 0
        self.aborted = self.closing = False
        self.ways_shut: list[int] = []

    def get_extra_info(self, name: str) -> Any:
        played = {"getsockname": lambda: ("127.0.0.1", 80), "getpeername": lambda: ("127.0.0.1", 5)}
        return SimpleNamespace(**played, shutdown=self.ways_shut.append) if name == "socket" else None

    def take(self, count: int) -> None:
        self.left -= count
        self.taken += count

    def uptake(self, _: object) -> Uptake:
        return Uptake(self.taken, self.left > 0)

    def write(self, data: bytes) -> None:
        self.left += len(data)

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def answered(clock: SetClock, ended: list[str], head: bytes) -> tuple[Connection, PlayedTransport]:
    """A connection whose client has asked, and whose answer is complete but not taken yet."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * BODY_BYTES})

    settings = uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_config=None)
    settings.load()
    transport = PlayedTransport()
    connection = Connection(settings, ServerState(), clock, lambda: ended.append("over"), transport.uptake)
    connection.connection_made(transport)  # type: ignore[arg-type]
    connection.data_received(head)
    for _ in range(10):
        await asyncio.sleep(0)
    assert connection.cycle is not None and connection.cycle.response_complete
    return connection, transport


def test_an_answer_that_nobody_takes_holds_its_slot_until_it_is_cut_off() -> None:
    async def run() -> None:
        clock, ended = SetClock(), list[str]()
        head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        connection, transport = await answered(clock, ended, head)
        connection.eof_received()
        assert ended == [] and transport.closing
        connection.cut_if_overdue()
        clock.at += STUCK_SECONDS + 1
        connection.cut_if_overdue()
        assert transport.aborted and transport.ways_shut == [socket.SHUT_RDWR]
        connection.connection_lost(None)
        assert ended == ["over"]

    asyncio.run(run())


def test_who_has_taken_its_answer_and_says_goodbye_holds_no_slot() -> None:
    async def run() -> None:
        clock, ended = SetClock(), list[str]()
        connection, transport = await answered(clock, ended, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        transport.take(transport.left)
        clock.at += STUCK_SECONDS + 1
        connection._waiting_since = None
        connection.cut_if_overdue()
        assert not transport.aborted, "an answer that was taken late is no reason"
        connection.eof_received()
        assert ended == ["over"]
        connection.connection_lost(None)
        assert ended == ["over"]

    asyncio.run(run())


def test_an_answer_that_is_taken_slowly_but_steadily_is_neither_cut_off_nor_closed() -> None:
    async def run() -> None:
        clock, ended = SetClock(), list[str]()
        connection, transport = await answered(clock, ended, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while transport.left > 1000:
            connection.timeout_keep_alive_handler()
            connection.cut_if_overdue()
            transport.take(1000)
            clock.at += 1
        assert clock.at > 3 * STUCK_SECONDS and not transport.aborted and not transport.closing
        transport.take(transport.left)
        connection.timeout_keep_alive_handler()
        assert transport.closing and not transport.aborted

    asyncio.run(run())


def test_who_took_its_answer_and_does_not_say_goodbye_is_cut_off_soon() -> None:
    async def run() -> None:
        clock = SetClock()
        head = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        connection, transport = await answered(clock, [], head)
        transport.take(transport.left)
        connection.cut_if_overdue()
        clock.at += 3
        connection.cut_if_overdue()
        assert transport.aborted

    asyncio.run(run())


def refused(pieces: list[dict[str, Any]]) -> tuple[int, dict[bytes, bytes], bytes, int]:
    """What a client above the limit is told, and how many pieces of its body were left unread."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return pieces.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(busy({}, receive, send))
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"], len(pieces)


def test_the_refusal_says_what_to_do() -> None:
    status, headers, body, _ = refused([{"type": "http.request", "body": b"x", "more_body": False}])
    assert status == 503
    assert headers[b"retry-after"] == str(RETRY_AFTER_SECONDS).encode()
    assert headers[b"connection"] == b"close"
    assert b"try another handler, or this one later" in body


def test_a_body_is_listened_to_before_the_answer_but_not_for_ever() -> None:
    piece = {"type": "http.request", "body": b"x" * 32 * 1024, "more_body": True}
    assert refused([piece, {**piece, "more_body": False}])[3] == 0
    assert refused([piece] * 5)[3] == 2
