"""Reading frames, and a request from its segments."""

import socket
import struct
from pathlib import Path

import pytest

from epolab.verify import sniffer_program
from epolab.verify.sniffer_program import listen, segment_of, whole_request


def frame(payload: bytes, port: int, sequence: int = 7) -> bytes:
    tcp = struct.pack("!HHIIBBHHH", 40000, port, sequence, 0, 5 << 4, 24, 0, 0, 0) + payload
    total = 20 + len(tcp)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, total, 0, 0, 64, 6, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    return bytes(12) + b"\x08\x00" + head + tcp


OWN = ["10.0.0.2", "fd00::2"]


def frame6(payload: bytes, port: int) -> bytes:
    tcp = struct.pack("!HHIIBBHHH", 40000, port, 7, 0, 5 << 4, 24, 0, 0, 0) + payload
    source, target = (socket.inet_pton(socket.AF_INET6, text) for text in ("fd00::1", "fd00::2"))
    return bytes(12) + b"\x86\xdd" + struct.pack("!IHBB", 0x60000000, len(tcp), 6, 64) + source + target + tcp


def test_a_segment_to_the_port_is_read_and_padding_is_not_payload() -> None:
    assert segment_of(frame(b"hello", 8081) + bytes(6), 8081, OWN) == ("10.0.0.1", 40000, 7, b"hello")
    assert segment_of(frame6(b"hello", 8081), 8081, OWN) == ("fd00::1", 40000, 7, b"hello")
    assert segment_of(frame(b"hello", 80), 8081, OWN) is None
    assert segment_of(bytes(60), 8081, OWN) is None


def test_what_a_router_forwards_to_another_node_is_not_its_own() -> None:
    assert segment_of(frame(b"hello", 8081), 8081, ["10.0.0.3", "fd00::2"]) is None
    assert segment_of(frame6(b"hello", 8081), 8081, ["10.0.0.2", "fd00::3"]) is None


def test_a_request_is_whole_when_its_body_is_and_order_does_not_matter() -> None:
    parts = {30: b"lo", 10: b"POST /wakeup HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 20: b"hel"}
    assert whole_request(parts, b"POST /wakeup ") == b"POST /wakeup HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
    assert whole_request(parts, b"PUT ") is None
    del parts[30]
    assert whole_request(parts, b"POST /wakeup ") is None


def test_while_it_records_its_marker_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No packet socket is needed for that: recording raw frames takes root."""
    made, unix = socket.socket, Path("/proc/net/unix")
    listed: list[bool] = []

    def opened(family: int, *kind: int) -> socket.socket:
        return made(socket.AF_UNIX, socket.SOCK_DGRAM) if family == socket.AF_PACKET else made(family, *kind)

    def looked(*_: object) -> tuple[list[object], list[object], list[object]]:
        listed.append("@a-marker-of-a-test" in unix.read_text())
        return [], [], []

    monkeypatch.setattr(sniffer_program.socket, "socket", opened)
    monkeypatch.setattr(sniffer_program.select, "select", looked)
    assert listen(8081, OWN, b"POST", 1.0, "a-marker-of-a-test") == {"request": "", "source": ""}
    assert listed == [True]
    assert "@a-marker-of-a-test" not in unix.read_text()
