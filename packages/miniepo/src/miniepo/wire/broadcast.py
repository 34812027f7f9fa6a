"""The agent broadcast port: hears what is said to a whole segment, and says it, in IPv4 broadcast and IPv6 multicast.

Only the segment's own addresses are bound, not the node's: a datagram to the node itself is the relay process's, which
may have the same port (8082) open beside this one.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterator, Sequence

from miniepo.log import logger
from miniepo.protocol.discovery import GROUP_V6
from miniepo.wire.interfaces import Interface, read_interfaces

Hear = Callable[[bytes, str], None]
"""Gets a datagram and its source address."""

_log = logger("wire.broadcast")


class _Ear(asyncio.DatagramProtocol):
    def __init__(self, hear: Hear) -> None:
        self._hear = hear

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._hear(data, addr[0].partition("%")[0])

    def error_received(self, exc: Exception) -> None:
        _log.debug("datagram refused: %s", exc)


class BroadcastPort:
    """Listens to the broadcasts of every segment that the node is on."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sockets: list[socket.socket] = []
        self._transports: list[asyncio.DatagramTransport] = []

    async def open(self, hear: Hear) -> None:
        """Listen; every broadcast goes to `hear`. Raises OSError when the port cannot be had."""
        loop = asyncio.get_running_loop()
        try:
            self._sockets = list(_ears(self._port, read_interfaces()))
            for opened in self._sockets:
                transport, _ = await loop.create_datagram_endpoint(lambda: _Ear(hear), sock=opened)
                self._transports.append(transport)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Stop listening."""
        for transport in self._transports:
            transport.close()
        for opened in self._sockets:
            with contextlib.suppress(OSError):
                opened.close()
        self._sockets, self._transports = [], []


def shout(data: bytes, port: int, network: str) -> int:
    """Say this to the one segment `network` (IPv4 CIDR), in both families; how many sends the kernel took."""
    chosen = [each for each in read_interfaces() if each.v4 is not None and str(each.v4.network) == network]
    sent = 0
    for each in chosen:
        for address in each.broadcasts_v4:
            sent += _send(socket.AF_INET, data, (address, port))
        if each.has_v6:
            sent += _send(socket.AF_INET6, data, (GROUP_V6, port, 0, each.index))
    return sent


def _send(family: socket.AddressFamily, data: bytes, address: tuple[str, int] | tuple[str, int, int, int]) -> int:
    with socket.socket(family, socket.SOCK_DGRAM) as mouth:
        mouth.setblocking(False)
        if family == socket.AF_INET:
            mouth.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        try:
            mouth.sendto(data, address)
        except OSError as error:
            _log.warning("broadcast to %s not sent: %s", address[0], error)
            return 0
    return 1


def _ears(port: int, interfaces: Sequence[Interface]) -> Iterator[socket.socket]:
    for address in dict.fromkeys(broadcast for each in interfaces for broadcast in each.broadcasts_v4):
        yield _bound(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), (address, port))
    for each in interfaces:
        if each.has_v6:
            opened = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            _join(opened, each)
            yield _bound(opened, (GROUP_V6, port, 0, each.index))


def _join(opened: socket.socket, interface: Interface) -> None:
    group = socket.inet_pton(socket.AF_INET6, GROUP_V6) + struct.pack("@I", interface.index)
    try:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    except OSError as error:
        _log.warning("%s cannot join %s: %s", interface.name, GROUP_V6, error)


def _bound(opened: socket.socket, address: tuple[str, int] | tuple[str, int, int, int]) -> socket.socket:
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind(address)
    except OSError:
        opened.close()
        raise
    return opened
