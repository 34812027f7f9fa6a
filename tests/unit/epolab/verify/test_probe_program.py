"""The knocks against real sockets on loopback."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

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
