"""Sent to a node and run there: looks for relays by broadcast and by multicast, and prints who answered.

Standard library only, Python 3.11 or later. Standard input is JSON
`{"ports": [int], "answer_port": int, "group": IPv6 group, "wait_s": float, "rounds": int, "expected": [name]}`;
standard output is JSON `{"4": {port: [name]}, "6": {port: [name]}}`, the computer names of the relays that answered a
question of that family at that port. Answers come to the agents' broadcast port, where the agent of the node may listen
too and take one: so the question is repeated until the expected relays have answered.
"""

import contextlib
import json
import socket
import sys
import time
from typing import Any

Found = dict[str, dict[str, list[str]]]


def opened(family: int, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind(("", port))
    return sock


def ask(sock: socket.socket, port: int, nonce: str, group: str) -> None:
    question = json.dumps({"discover": "relay", "nonce": nonce}).encode()
    if sock.family == socket.AF_INET:
        sock.sendto(question, ("255.255.255.255", port))
        return
    for index, name in socket.if_nameindex():
        if name != "lo":
            with contextlib.suppress(OSError):  # an interface without IPv6 has no segment to ask
                sock.sendto(question, (group, port, 0, index))


def collect(sock: socket.socket, nonce: str, wait_s: float, expected: set[str]) -> set[str]:
    """The relays that answer this question in time, or until all expected ones have."""
    names: set[str] = set()
    end = time.monotonic() + wait_s
    while (left := end - time.monotonic()) > 0 and not names >= expected:
        sock.settimeout(left)
        try:
            offer = json.loads(sock.recv(65536))
        except (TimeoutError, ValueError):
            continue
        if offer.get("nonce") == nonce and "relay" in offer:
            names.add(offer["relay"]["computer_name"])
    return names


def look(given: dict[str, Any]) -> Found:
    found: Found = {}
    for word, family in (("4", socket.AF_INET), ("6", socket.AF_INET6)):
        found[word] = {}
        with opened(family, given["answer_port"]) as sock:
            for port in given["ports"]:
                names: set[str] = set()
                for turn in range(given["rounds"]):
                    nonce = f"verdict-{word}-{port}-{turn}"
                    ask(sock, port, nonce, given["group"])
                    names |= collect(sock, nonce, given["wait_s"], set(given["expected"]) - names)
                    if names >= set(given["expected"]):
                        break
                found[word][str(port)] = sorted(names)
    return found


if __name__ == "__main__":
    json.dump(look(json.load(sys.stdin)), sys.stdout)
