"""Sent to a relay's node and run there: looks into everything that passes until it is told to stop.

Standard library only, Python 3.11 or later. Standard input is JSON
`{"port": int, "secrets": [text], "stop": path, "timeout_s": float}`: the relay's port, what must not be readable, and
the file that ends it as soon as it is there. Standard output is JSON
`{"asked": {client address: int}, "bytes": int, "sealed": int, "read": [text], "whole": bool}`: how many requests each
client made in plain sight, how many bytes of TCP passed, how many packets to or from the relay's port began a TLS
record of application data, which of the secrets could be read in any packet, and whether it was told to stop: if not,
its time was over, and what passed then was not seen.
"""

import json
import select
import socket
import sys
import time
from pathlib import Path
from typing import Any

ETHERNET_BYTES = 14
IPV4, IPV6, TCP = 0x0800, 0x86DD, 6
REQUEST = b'{"connect":'
SEALED = (b"\x17\x03\x03", b"\x17\x03\x01")


def tcp_of(frame: bytes) -> tuple[str, int, int, bytes] | None:
    """(source, source port, destination port, payload) of a TCP segment; None for anything else."""
    kind, packet = int.from_bytes(frame[12:14], "big"), frame[ETHERNET_BYTES:]
    if kind == IPV4 and packet[9] == TCP:
        source = socket.inet_ntop(socket.AF_INET, packet[12:16])
        segment = packet[(packet[0] & 15) * 4 : int.from_bytes(packet[2:4], "big")]
    elif kind == IPV6 and packet[6] == TCP:
        source = socket.inet_ntop(socket.AF_INET6, packet[8:24])
        segment = packet[40 : 40 + int.from_bytes(packet[4:6], "big")]
    else:
        return None
    ports = int.from_bytes(segment[:2], "big"), int.from_bytes(segment[2:4], "big")
    return source, *ports, segment[(segment[12] >> 4) * 4 :]


def look_into(frames: Any, port: int, secrets: list[str]) -> dict[str, Any]:
    asked: dict[str, int] = {}
    read: set[str] = set()
    passed = sealed = 0
    for frame in frames:
        found = tcp_of(frame)
        if found is None:
            continue
        source, source_port, destination, payload = found
        passed += len(payload)
        sealed += port in (source_port, destination) and payload.startswith(SEALED)
        read |= {secret for secret in secrets if secret.encode() in payload}
        if destination == port and payload.startswith(REQUEST):
            asked[source] = asked.get(source, 0) + 1
    return {"asked": asked, "bytes": passed, "sealed": sealed, "read": sorted(read)}


def look(frames: Any, given: dict[str, Any]) -> dict[str, Any]:
    seen = look_into(frames, given["port"], given["secrets"])
    return {**seen, "whole": Path(given["stop"]).exists()}


def frames_until(stop: str, timeout_s: float) -> Any:
    deadline = time.monotonic() + timeout_s
    look_again = 0.0
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        while (now := time.monotonic()) < deadline:
            if now >= look_again:
                look_again = now + 0.2
                if Path(stop).exists():
                    return
            if select.select([sock], [], [], 0.2)[0]:
                yield sock.recv(65536)


if __name__ == "__main__":
    given = json.load(sys.stdin)
    json.dump(look(frames_until(given["stop"], given["timeout_s"]), given), sys.stdout)
