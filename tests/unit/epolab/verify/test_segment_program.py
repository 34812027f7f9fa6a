"""The program that hears and says broadcasts, on this machine's loopback."""

import socket
import threading
import uuid
from typing import Any

from epolab.verify import segment_program
from epolab.verify.segment_program import hear, interface_of, stop


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def asked(port: int, timeout_s: float = 5.0) -> dict[str, Any]:
    return {"address": "127.0.0.1", "port": port, "marker": f"test-{uuid.uuid4().hex}", "timeout_s": timeout_s}


def test_the_first_signed_datagram_is_heard_and_questions_are_passed_over() -> None:
    port, found = free_port(), []
    question = asked(port)
    ear = threading.Thread(target=lambda: found.append(hear(question)))
    ear.start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
        while ear.is_alive():
            mouth.sendto(b'{"discover":"relay"}', ("127.0.0.1", port))
            mouth.sendto(b'{"signature":"x"}', ("127.0.0.1", port))
            ear.join(0.05)
    assert found == [{"data": b'{"signature":"x"}'.hex()}]


def test_a_listener_that_hears_nothing_can_be_stopped() -> None:
    question, found = asked(free_port(), timeout_s=30), []
    ear = threading.Thread(target=lambda: found.append(hear(question)))
    ear.start()
    while ear.is_alive():
        stop({"marker": question["marker"]})
        ear.join(0.05)
    assert found == [{"data": ""}]
    assert stop({"marker": question["marker"]}) == {"stopped": False}


def test_silence_is_nothing() -> None:
    assert hear(asked(free_port(), timeout_s=0.05)) == {"data": ""}


def test_an_interface_is_found_by_its_address() -> None:
    assert interface_of("::1") == socket.if_nametoindex("lo")


def test_the_program_needs_the_standard_library_only() -> None:
    names = {name for name in vars(segment_program) if not name.startswith("_")}
    assert {"json", "socket", "sys"} <= names and "epolab" not in names
