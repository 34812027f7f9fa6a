"""The knocking at a handler's doors against sockets that answer like one, or not at all."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from epolab.verify.door_program import Given, ask_plainly, ask_with_foreign, crowd_in

REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 6\r\nConnection: close\r\n\r\nin use"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def given(server: socket.socket, limit: int = 0) -> Given:
    port = server.getsockname()[1]
    own: list[str] = []
    place = {"address": "127.0.0.1", "https": port, "http": port, "name": "epo.hq.test"}
    return {**place, "ca": None, "own": own, "foreign": "no PEM", "limit": limit, "timeout_s": 2.0}


def test_an_answer_is_told_with_its_reason_and_when_to_come_back(server: socket.socket) -> None:
    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(REFUSAL)

    thread = threading.Thread(target=serve)
    thread.start()
    seen = ask_plainly(given(server), "POST", "/spipe/pkg", b"{}")
    thread.join(5)
    assert seen == {"status": 503, "text": "in use", "retry_after": "5"}


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        asked = given(closed)
    seen = ask_plainly(asked, "GET", "/", b"")
    assert seen["status"] == 0 and "ConnectionRefusedError" in seen["text"]


def test_what_is_no_certificate_is_told(server: socket.socket) -> None:
    assert ask_with_foreign(given(server))["status"] == 0


def test_a_crowd_stands_until_it_is_sent_home(server: socket.socket) -> None:
    with ExitStack() as stack:
        crowd_in(given(server, limit=20), stack)
        arrived = [server.accept()[0] for _ in range(20)]
        assert len(arrived) == 20
    for connection in arrived:
        with connection, suppress(ConnectionResetError):
            assert connection.recv(1) == b""
