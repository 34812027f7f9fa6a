"""What can be seen of frames that pass a relay."""

import socket
import struct
from pathlib import Path

from epolab.verify.relay_capture_program import look, look_into

ETHERNET = bytes(12)
SECRET = "verdict-0815"


def tcp(source_port: int, port: int, payload: bytes) -> bytes:
    return struct.pack("!HHIIBBHHH", source_port, port, 1, 1, 5 << 4, 0x18, 1000, 0, 0) + payload


def v4(source: str, segment: bytes, protocol: int = 6) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, protocol, 0)
    return ETHERNET + b"\x08\x00" + head + socket.inet_aton(source) + socket.inet_aton("10.3.0.1") + segment + b"pad"


def v6(source: str, segment: bytes) -> bytes:
    addresses = socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, "fd00::1")
    return ETHERNET + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(segment), 6, 64) + addresses + segment


def test_requests_are_counted_by_client_in_both_families() -> None:
    request = b'{"connect":"epo.hq.test:443"}\n'
    frames = [
        v4("10.3.0.9", tcp(50000, 8083, request)),
        v4("10.3.0.9", tcp(50001, 8083, request)),
        v6("fd00::9", tcp(50002, 8083, request)),
        v4("10.3.0.9", tcp(50003, 443, request)),
    ]
    seen = look_into(frames, 8083, [SECRET])
    assert seen["asked"] == {"10.3.0.9": 2, "fd00::9": 1}
    assert seen["bytes"] == 4 * len(request) and seen["sealed"] == 0 and seen["read"] == []


def test_sealed_packets_are_told_from_readable_ones() -> None:
    sealed = b"\x17\x03\x03\x00\x40" + bytes(range(64))
    frames = [v4("10.3.0.9", tcp(50000, 8083, sealed)), v6("fd00::9", tcp(8083, 50000, b"so: " + SECRET.encode()))]
    seen = look_into(frames, 8083, [SECRET, "other"])
    assert (seen["sealed"], seen["read"]) == (1, [SECRET])


def test_what_is_sealed_counts_on_the_relays_port_alone_in_both_directions() -> None:
    sealed = b"\x17\x03\x03\x00\x40" + bytes(range(64))
    ports = [(50000, 8083), (8083, 50000), (50001, 443), (443, 50001)]
    seen = look_into([v4("10.3.0.9", tcp(*pair, sealed)) for pair in ports], 8083, [SECRET])
    assert (seen["sealed"], seen["bytes"]) == (2, 4 * len(sealed))


def test_a_look_is_whole_only_when_it_was_told_to_stop(tmp_path: Path) -> None:
    given = {"port": 8083, "secrets": [SECRET], "stop": str(tmp_path / "stop")}
    frames = [v4("10.3.0.9", tcp(50000, 8083, b"12345"))]
    seen = look(frames, given)
    assert (seen["bytes"], seen["whole"]) == (5, False)
    (tmp_path / "stop").touch()
    assert look(frames, given)["whole"] is True


def test_other_protocols_are_left_out() -> None:
    arp = ETHERNET + b"\x08\x06" + bytes(28)
    seen = look_into([arp, v4("10.3.0.9", bytes(8) + SECRET.encode(), protocol=17)], 8083, [SECRET])
    assert seen == {"asked": {}, "bytes": 0, "sealed": 0, "read": []}
