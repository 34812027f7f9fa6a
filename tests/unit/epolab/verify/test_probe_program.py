"""The knocks against real sockets on loopback."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from epolab.verify import probe_program
from epolab.verify.probe_program import knock_all


@pytest.fixture
def listener() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


@pytest.fixture
def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_open_and_refused_ports_are_told_apart(listener: tuple[str, int], unused_port: int) -> None:
    knocks = [
        {"protocol": "tcp", "address": listener[0], "port": listener[1], "timeout_s": 1.0},
        {"protocol": "tcp", "address": listener[0], "port": unused_port, "timeout_s": 1.0},
    ]
    assert [answer["outcome"] for answer in asyncio.run(knock_all(knocks))] == ["open", "refused"]


def test_udp_without_an_answer_is_silent() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        knock = {
            "protocol": "udp",
            "address": "127.0.0.1",
            "port": mute.getsockname()[1],
            "send": "00",
            "timeout_s": 0.05,
        }
        (answer,) = asyncio.run(knock_all([knock]))
    assert answer["outcome"] == "silent"


def answer_in_pieces(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(100)
        for piece in (b"HTTP/1.1 403 \r\n\r\n", b"go away"):
            connection.sendall(piece)


def answer_late_and_stay(server: socket.socket, asked: threading.Event, ended: threading.Event) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(100)
        asked.set()
        connection.sendall(b"late")
        ended.wait(5.0)


def test_the_moment_after_an_answer_does_not_count_into_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who answers in time and keeps the connection is not silent, though nothing more comes until its time is over."""
    monkeypatch.setattr(probe_program, "MOMENT_S", 0.6)
    asked, ended = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(answer_late_and_stay, server, asked, ended)
        address, port = server.getsockname()
        knock = {"protocol": "tcp", "address": address, "port": port, "send": "00", "timeout_s": 0.5}
        (answer,) = asyncio.run(knock_all([knock]))
        ended.set()
    assert asked.is_set() and (answer["outcome"], bytes.fromhex(answer["reply"])) == ("open", b"late")
    assert answer["ms"] >= 600


def test_who_says_nothing_in_time_is_silent_though_it_keeps_the_connection(listener: tuple[str, int]) -> None:
    knock = {"protocol": "tcp", "address": listener[0], "port": listener[1], "send": "00", "timeout_s": 0.05}
    assert [answer["outcome"] for answer in asyncio.run(knock_all([knock]))] == ["silent"]


def test_an_answer_that_comes_in_pieces_is_read_whole() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(answer_in_pieces, server)
        address, port = server.getsockname()
        knock = {"protocol": "tcp", "address": address, "port": port, "send": "00", "timeout_s": 5.0}
        (answer,) = asyncio.run(knock_all([knock]))
    assert bytes.fromhex(answer["reply"]) == b"HTTP/1.1 403 \r\n\r\ngo away"
