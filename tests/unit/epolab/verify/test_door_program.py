"""The knocking at a handler's doors against sockets that answer like one, or not at all."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from epolab.verify.door_program import (
    Crowd,
    Given,
    ask_over_tls,
    ask_plainly,
    ask_with_foreign,
    called_in,
    context_of,
    enter,
)
from epolab.verify.doors import foreign_certificate

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


class Full(BaseHTTPRequestHandler):
    """Serves so many connections at once as its server has room for; one more is refused."""

    protocol_version = "HTTP/1.1"
    server: "Handler"

    def setup(self) -> None:
        super().setup()
        self.refused = not self.server.room.acquire(blocking=False)

    def finish(self) -> None:
        if not self.refused:
            self.server.room.release()

    def do_GET(self) -> None:
        self.send_response(503 if self.refused else 404)
        self.send_header("Retry-After", "5")
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = self.refused

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class Handler(ThreadingHTTPServer):
    """A handler at which so many connections find room."""

    def __init__(self, context: ssl.SSLContext, room: int) -> None:
        super().__init__(("127.0.0.1", 0), Full)
        self.room = threading.Semaphore(room)
        self._context = context

    def get_request(self) -> tuple[socket.socket, Any]:
        sock, address = super().get_request()
        return self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who goes in the middle is gone."""


@contextmanager
def handler(tmp_path: Path, room: int) -> Iterator[Given]:
    """A handler with so much room, and what is given to get in there: its name is not looked at."""
    pem = tmp_path / "own.pem"
    pem.write_text(foreign_certificate("epo.hq.test"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with Handler(context, room) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield {**given(server.socket, limit=8), "own": [str(pem), str(pem)]}
        finally:
            server.shutdown()
            thread.join(5)


class Trusting(Crowd):
    """A crowd that believes any certificate."""

    def __init__(self, given: Given) -> None:
        super().__init__(given, still_seconds=0.2)
        self._context.check_hostname = False
        self._context.verify_mode = ssl.CERT_NONE


@pytest.mark.parametrize(("room", "held", "told"), [(8, 8, 503), (9, 9, 404), (50, 9, 404), (5, 5, 503)])
def test_a_crowd_finds_out_how_many_are_served_at_once(tmp_path: Path, room: int, held: int, told: int) -> None:
    with handler(tmp_path, room) as asked:
        crowd = Trusting(asked)
        crowd.gather()
        crowd.leave()
    assert (crowd.held, crowd.told["status"]) == (held, told)


def test_who_is_served_no_more_is_no_part_of_the_crowd(tmp_path: Path) -> None:
    with handler(tmp_path, 8) as asked:
        crowd = Trusting(asked)
        crowd.gather()
        crowd.connections[0].sock.shutdown(socket.SHUT_RDWR)
        crowd.ask_again()
        crowd.leave()
    assert crowd.held == 7


def test_who_stays_for_others_asks_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_again = threading.Event()

    def is_served(connection: object) -> bool:
        asked_again.set()
        return False

    monkeypatch.setattr("epolab.verify.door_program.ASK_AGAIN_SECONDS", 0.01)
    with handler(tmp_path, 8) as asked:
        crowd = Trusting(asked)
        crowd.gather()
        monkeypatch.setattr("epolab.verify.door_program.is_served", is_served)
        assert crowd.stay_for(lambda: str(asked_again.wait(5))) == "True"
        crowd.leave()
    assert crowd.held == 8, "what counts is who stood there before"


def test_a_handler_that_shows_a_strange_certificate_lets_nobody_in(tmp_path: Path) -> None:
    with handler(tmp_path, 8) as asked:
        connection, told = enter(asked, context_of(asked, asked["own"]))
        assert connection is None and "CERTIFICATE_VERIFY_FAILED" in told["text"]
        assert ask_over_tls(asked, [])["status"] == 0


def test_what_agents_reply_is_told(tmp_path: Path) -> None:
    path = str(tmp_path / "control.sock")
    assert "FileNotFoundError" in called_in(path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()

        def serve() -> None:
            with listening.accept()[0] as sock:
                assert sock.recv(4096) == b'{"order": "callin"}\n'
                sock.sendall(b'{"ok": true}\n')

        thread = threading.Thread(target=serve)
        thread.start()
        assert called_in(path) == '{"ok": true}'
        thread.join(5)
