"""The requests to a relay against a real socket that answers like one."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest

from epolab.verify.relay_program import ask_all

GREETING = b"HTTP/1.1 200 OK\r\n\r\n"


def answer(connection: socket.socket) -> None:
    with connection:
        wanted = json.loads(connection.makefile("rb").readline())["connect"]
        if wanted == "closed:1":
            return
        listed = wanted == "listed:80"
        said = {"ok": True} if listed else {"ok": False, "code": "not-listed", "error": f"{wanted} is not a site"}
        connection.sendall(json.dumps(said).encode() + b"\n")
        if listed:
            connection.recv(4096)
            connection.sendall(GREETING)


@pytest.fixture
def relay() -> Iterator[tuple[str, int]]:
    def serve(server: socket.socket) -> None:
        for _ in range(3):
            answer(server.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()
        thread.join(5)


def test_what_a_relay_does_is_told(relay: tuple[str, int]) -> None:
    asks = [
        {"relay": relay[0], "port": relay[1], "connect": connect, "tls": "", "ca": "", "timeout_s": 5.0, "hold_s": 0.0}
        for connect in ("listed:80", "other:80", "closed:1")
    ]
    listed, other, closed = ask_all(asks)
    assert listed == {"ok": True, "code": "", "text": "HTTP/1.1 200 OK", "certificate": ""}
    assert other == {"ok": False, "code": "not-listed", "text": "other:80 is not a site", "certificate": ""}
    assert not closed["ok"]
    assert "closed without an answer" in closed["text"]


def test_a_connection_is_held_open_without_a_word() -> None:
    seen: list[str] = []

    def serve(server: socket.socket) -> None:
        connection, peer = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b'{"ok": true}\n')
            seen.extend((f"{peer[0]} {peer[1]}", repr(connection.recv(1))))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        relay, port = server.getsockname()
        ask = {"relay": relay, "port": port, "connect": "listed:443", "tls": "listed", "timeout_s": 5.0, "hold_s": 0.05}
        (held,) = ask_all([ask])
        thread.join(5)
    assert held == {"ok": True, "code": "", "text": seen[0], "certificate": ""} and seen[1] == "b''"


def test_what_a_relay_ends_is_not_held(relay: tuple[str, int]) -> None:
    asks = [
        {"relay": relay[0], "port": relay[1], "connect": connect, "tls": "", "ca": "", "timeout_s": 5.0, "hold_s": 5.0}
        for connect in ("other:80", "closed:1", "closed:1")
    ]
    assert [said["ok"] for said in ask_all(asks)] == [False] * 3
