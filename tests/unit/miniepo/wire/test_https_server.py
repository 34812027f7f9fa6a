"""Bodies stay within their limits, and ports are bound in both families."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from miniepo.errors import ConfigError
from miniepo.wire.https_server import BodyLimit, addresses_of, open_sockets


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if message["type"] == "http.disconnect":
            body = b"cut"
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def answered(pieces: list[bytes], announced: int | None = None, limit: int = 5) -> tuple[int, bytes]:
    """The status and the body that a client of `echo` would see."""
    sent: list[dict[str, Any]] = []
    waiting = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [] if announced is None else [(b"content-length", str(announced).encode())]
    scope = {"type": "http", "path": "/", "headers": headers}
    asyncio.run(BodyLimit(echo, lambda path: limit, stall_seconds=0.01)(scope, receive, send))
    return sent[0]["status"], sent[1]["body"]


def test_an_announced_excess_is_refused_at_once() -> None:
    assert answered([], announced=6)[0] == 413


def test_an_unannounced_excess_is_cut() -> None:
    assert answered([b"123", b"456"]) == (200, b"cut")


def test_a_stalled_sender_is_cut() -> None:
    assert answered([b"123"]) == (200, b"cut")


def test_both_families_share_a_port() -> None:
    sockets = open_sockets(["127.0.0.1"], 0)
    port = sockets[0].getsockname()[1]
    sockets += open_sockets(["::1"], port)
    families = [each.family for each in sockets]
    for each in sockets:
        each.close()
    assert families == [socket.AF_INET, socket.AF_INET6]


def test_a_taken_port_is_named() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigError, match="cannot listen on 127"),
    ):
        open_sockets(["127.0.0.1"], taken.getsockname()[1])


def test_loopback_is_no_published_address() -> None:
    assert asyncio.run(addresses_of("localhost")) == ("", "")
    assert asyncio.run(addresses_of("192.0.2.7")) == ("192.0.2.7", "")
