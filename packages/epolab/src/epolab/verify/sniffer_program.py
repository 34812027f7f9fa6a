"""Sent to an agent's node and run there: records what arrives at a TCP port until one whole HTTP request has come.

Standard library only. Standard input is JSON
`{"port": int, "addresses": [str], "begins": str, "timeout_s": float, "marker": str}`, the addresses being the node's;
standard output is JSON `{"request": hex, "source": str}` of the first request with a body that begins so, empty when
none came. As long as it records, the kernel lists an abstract socket named by the marker in /proc/net/unix.
"""

import json
import select
import socket
import sys
import time

ETHERNET_BYTES = 14
IPV4, IPV6, TCP = 0x0800, 0x86DD, 6


def segment_of(frame: bytes, port: int, addresses: list[str]) -> tuple[str, int, int, bytes] | None:
    """(source, source port, sequence number, payload) of a TCP segment to `port` of the node; None for anything else.

    A router sees what it forwards to others, too.
    """
    kind, packet = int.from_bytes(frame[12:14], "big"), frame[ETHERNET_BYTES:]
    if kind == IPV4 and packet[9] == TCP:
        source, target = (socket.inet_ntop(socket.AF_INET, packet[at : at + 4]) for at in (12, 16))
        start = (packet[0] & 15) * 4
        end = int.from_bytes(packet[2:4], "big")
    elif kind == IPV6 and packet[6] == TCP:
        source, target = (socket.inet_ntop(socket.AF_INET6, packet[at : at + 16]) for at in (8, 24))
        start = 40
        end = 40 + int.from_bytes(packet[4:6], "big")
    else:
        return None
    segment = packet[start:end]
    if target not in addresses or int.from_bytes(segment[2:4], "big") != port:
        return None
    sequence = int.from_bytes(segment[4:8], "big")
    return source, int.from_bytes(segment[:2], "big"), sequence, segment[(segment[12] >> 4) * 4 :]


def whole_request(parts: dict[int, bytes], begins: bytes) -> bytes | None:
    """The bytes of a stream when they are such a request with all of its body."""
    data = b"".join(parts[sequence] for sequence in sorted(parts))
    head, end, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    if not end or not data.startswith(begins) or not lengths or len(body) < int(lengths[0]):
        return None
    return data


def listen(port: int, addresses: list[str], begins: bytes, timeout_s: float, marker: str) -> dict[str, str]:
    """The first whole request that arrives."""
    streams: dict[tuple[str, int], dict[int, bytes]] = {}
    deadline = time.monotonic() + timeout_s
    with (
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sign,
    ):
        sign.bind(f"\0{marker}")
        while (left := deadline - time.monotonic()) > 0:
            if not select.select([sock], [], [], left)[0]:
                break
            found = segment_of(sock.recv(65536), port, addresses)
            if found is None or not found[3]:
                continue
            source, source_port, sequence, payload = found
            streams.setdefault((source, source_port), {})[sequence] = payload
            request = whole_request(streams[source, source_port], begins)
            if request is not None:
                return {"request": request.hex(), "source": source}
    return {"request": "", "source": ""}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    found = listen(asked["port"], asked["addresses"], asked["begins"].encode(), asked["timeout_s"], asked["marker"])
    sys.stdout.write(json.dumps(found))
