"""Runs on a node, as a text: hears the first broadcast on the agent broadcast port, or says something to a segment.

Standard input: `{"do": "hear", "address", "port", "marker", "timeout_s"}`, `{"do": "stop", "marker"}`, or `{"do":
"shout", "address", "group", "interface_of", "port", "data": [hex]}`; the standard library only. A listener shows that
it listens by an abstract socket of the name `marker`, which also stops it, and prints `{"data": hex}`.
"""

import json
import select
import socket
import sys
import time
from pathlib import Path
from typing import Any


def hear(asked: dict[str, Any]) -> dict[str, Any]:
    """The first datagram that comes to the broadcast address; beside the agent, which gets it as well."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sign,
    ):
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind((asked["address"], asked["port"]))
        sign.bind(f"\0{asked['marker']}")
        deadline = time.monotonic() + asked["timeout_s"]
        while (left := deadline - time.monotonic()) > 0:
            ready = select.select([ear, sign], [], [], left)[0]
            data = ear.recv(65536) if ear in ready else b""
            if b'"signature"' in data:  # not a question for relays
                return {"data": data.hex()}
            if sign in ready:
                break
    return {"data": ""}


def stop(asked: dict[str, Any]) -> dict[str, Any]:
    """End a listener that hears nothing, if it still listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sign:
        try:
            sign.sendto(b"stop", f"\0{asked['marker']}")
        except ConnectionRefusedError:
            return {"stopped": False}
    return {"stopped": True}


def interface_of(address: str) -> int:
    """The number of the interface that has this IPv6 address."""
    digits = socket.inet_pton(socket.AF_INET6, address).hex()
    lines = Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith(digits))


def shout(asked: dict[str, Any]) -> dict[str, Any]:
    """Each datagram by IPv4 broadcast and by IPv6 multicast; how many were sent."""
    number = interface_of(asked["interface_of"])
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as v4,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as v6,
    ):
        v4.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        for text in asked["data"]:
            v4.sendto(bytes.fromhex(text), (asked["address"], asked["port"]))
            v6.sendto(bytes.fromhex(text), (asked["group"], asked["port"], 0, number))
    return {"sent": 2 * len(asked["data"])}


if __name__ == "__main__":
    given = json.load(sys.stdin)
    sys.stdout.write(json.dumps({"hear": hear, "stop": stop, "shout": shout}[given["do"]](given)))
