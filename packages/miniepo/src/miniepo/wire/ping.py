"""How far away a host is: the time of an ICMP echo, by a datagram socket that needs no privilege."""

from __future__ import annotations

import asyncio
import socket
import struct
import time

from miniepo.log import logger
from miniepo.patience import within

_ECHO_V4, _ECHO_V6 = 8, 128
_PROTOCOL_V6 = 58

_log = logger("wire.ping")


def echo_request(family: int, sequence: int) -> bytes:
    """An ICMP echo request; the kernel fills in identifier and checksum for datagram sockets on Linux, v6 always."""
    kind = _ECHO_V6 if family == socket.AF_INET6 else _ECHO_V4
    return struct.pack("!BBHHH", kind, 0, 0, 0, sequence) + b"miniepo."


async def ping(address: str, timeout_seconds: float = 1.0) -> float | None:
    """The round trip to an address in milliseconds; None without an answer in time.

    Raises PermissionError where the kernel grants this group no echo sockets (net.ipv4.ping_group_range).
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    protocol = _PROTOCOL_V6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_DGRAM, protocol) as echo:
        echo.setblocking(False)
        began = time.perf_counter()
        try:
            echo.connect((address, 0))
            await loop.sock_sendall(echo, echo_request(family, 1))
            await within(loop.sock_recv(echo, 1024), timeout_seconds)
        except (TimeoutError, OSError) as error:
            _log.debug("%s: %s", address, error or "no answer")
            return None
        return (time.perf_counter() - began) * 1000
