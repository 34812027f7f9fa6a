"""Datagrams for discovery: a listener on UDP ports of both families, and a question to every segment of the node."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from miniepo.log import logger
from miniepo.protocol.discovery import GROUP_V6
from miniepo.wire.interfaces import Interface, read_interfaces

MAX_WAITING = 256


@dataclass(frozen=True, slots=True)
class Later:
    """An answer that is sent after so many seconds."""

    data: bytes
    seconds: float


Take = Callable[[bytes, str], bytes | Later | None]
"""Gets a datagram and its source address; what it returns is sent back there."""

_log = logger("wire.datagram")


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, take: Take) -> None:
        self._take = take
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._take(data, addr[0].partition("%")[0])
        if isinstance(answer, Later):
            self._send_later(answer, addr)
        elif answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)

    def _send_later(self, answer: Later, addr: Any) -> None:
        """Beyond so many that wait, questions are lost, as datagrams may be."""
        if self._waiting < MAX_WAITING:
            self._waiting += 1
            asyncio.get_running_loop().call_later(answer.seconds, self._send_now, answer.data, addr)

    def _send_now(self, data: bytes, addr: Any) -> None:
        self._waiting -= 1
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)

    def error_received(self, exc: Exception) -> None:
        _log.debug("datagram refused: %s", exc)


class DatagramPort:
    """An open UDP port, on IPv4 and IPv6, joined to the discovery group on every interface."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sockets: list[socket.socket] = []
        self._transports: list[asyncio.DatagramTransport] = []

    async def open(self, take: Take) -> None:
        """Listen; every datagram goes to `take`."""
        interfaces = read_interfaces()
        try:
            self._sockets = [_socket_v4(self._port), *_sockets_v6(self._port, interfaces)]
            for opened in self._sockets:
                await self._attach(opened, take)
        except BaseException:
            self.close()
            raise

    async def _attach(self, opened: socket.socket, take: Take) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Listener(take), sock=opened)
        self._transports.append(transport)

    def close(self) -> None:
        """Stop listening."""
        for transport in self._transports:
            transport.close()
        for opened in self._sockets:
            with contextlib.suppress(OSError):
                opened.close()

    def ask_segments(self, data: bytes, port: int) -> int:
        """Send a question to every segment: IPv4 broadcast and the IPv6 group; how many sends the kernel took."""
        interfaces = read_interfaces()
        sent = 0
        for opened in self._sockets:
            for address in _segment_addresses(opened.family, interfaces, port):
                sent += _send(opened, data, address)
        return sent


def _segment_addresses(
    family: int, interfaces: Sequence[Interface], port: int
) -> list[tuple[str, int] | tuple[str, int, int, int]]:
    if family == socket.AF_INET:
        broadcasts = dict.fromkeys(address for each in interfaces for address in each.broadcasts_v4)
        return [(address, port) for address in broadcasts]
    return [(GROUP_V6, port, 0, each.index) for each in interfaces if each.has_v6]


def _send(opened: socket.socket, data: bytes, address: tuple[str, int] | tuple[str, int, int, int]) -> int:
    try:
        opened.sendto(data, address)
    except OSError as error:
        _log.warning("discovery to %s not sent: %s", address[0], error)
        return 0
    return 1


def _socket_v4(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    return _bound(opened, ("0.0.0.0", port))


def _sockets_v6(port: int, interfaces: Sequence[Interface]) -> list[socket.socket]:
    members = [each for each in interfaces if each.has_v6]
    if not members:
        return []
    opened = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 1)
    for each in members:
        _join(opened, each)
    return [_bound(opened, ("::", port))]


def _join(opened: socket.socket, interface: Interface) -> None:
    group = socket.inet_pton(socket.AF_INET6, GROUP_V6) + struct.pack("@I", interface.index)
    try:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            _log.warning("%s cannot join %s: %s", interface.name, GROUP_V6, error)


def _bound(opened: socket.socket, address: tuple[str, int]) -> socket.socket:
    try:
        opened.bind(address)
    except OSError:
        opened.close()
        raise
    return opened
