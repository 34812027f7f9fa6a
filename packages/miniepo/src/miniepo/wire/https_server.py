"""ASGI applications on several ports at once, IPv4 and IPv6, plain and TLS, each request within limits."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import uvicorn

from miniepo import config, log
from miniepo.errors import ConfigError

MAX_CONNECTIONS = 245
"""An Agent Handler serves about 245 connections at once (domain §1.1, source S2)."""
_BACKLOG = 256
_BODY_SECONDS = 30.0
_KEEP_ALIVE_SECONDS = 15
_HEADER_BYTES = 32 * 1024

Message = MutableMapping[str, Any]
_logger = log.logger("wire.https")


@dataclass(frozen=True, slots=True)
class Listener:
    """A port; with certificates it speaks TLS."""

    port: int
    tls: config.Tls | None = None


class BodyLimit:
    """Around an ASGI application: refuses bodies above a limit per path, and senders that stall."""

    def __init__(self, app: Any, limit_for: Callable[[str], int], stall_seconds: float = _BODY_SECONDS) -> None:
        self._app = app
        self._limit_for = limit_for
        self._stall_seconds = stall_seconds

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_for(scope["path"])
        if _announced_length(scope) > limit:
            await _refuse(send, 413, f"a body of more than {limit} bytes is not accepted here")
            return
        await self._app(scope, _Bounded(receive, limit, self._stall_seconds), send)


class _Bounded:
    """A `receive` that counts bytes and waits for each piece only so long."""

    def __init__(self, receive: Any, limit: int, stall_seconds: float) -> None:
        self._receive = receive
        self._left = limit
        self._stall_seconds = stall_seconds
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:
            message: Message = await self._receive()
            return message
        try:
            message = await asyncio.wait_for(self._receive(), self._stall_seconds)
        except TimeoutError:
            return {"type": "http.disconnect"}
        self._left -= len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message if self._left >= 0 else {"type": "http.disconnect"}


def _announced_length(scope: Message) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(send: Any, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: one process runs several of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(app: Any, hosts: Sequence[str], listeners: Sequence[Listener]) -> None:
    """Serve until SIGTERM or SIGINT; the ports are bound when the first await returns, or ConfigError is raised."""
    bound = [(_uvicorn(app, listener), open_sockets(hosts, listener.port)) for listener in listeners]
    servers = [server for server, _ in bound]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    _logger.info("listening on %s, ports %s", ", ".join(hosts), ", ".join(str(each.port) for each in listeners))
    await asyncio.gather(*(server.serve(sockets) for server, sockets in bound))


def _uvicorn(app: Any, listener: Listener) -> _Server:
    settings = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=_HEADER_BYTES,
        ssl_certfile=listener.tls.certificate if listener.tls else None,
        ssl_keyfile=listener.tls.key if listener.tls else None,
    )
    try:
        settings.load()
    except OSError as error:
        raise ConfigError(f"TLS for port {listener.port}: {error}") from error
    if settings.ssl is not None:
        settings.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
    return _Server(settings)


def open_sockets(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """A listening socket per address; an IPv6 one takes IPv6 only, so that both families can be listed."""
    sockets: list[socket.socket] = []
    for host in hosts:
        listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if listening.family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            listening.bind((host, port))
        except OSError as error:
            listening.close()
            raise ConfigError(f"cannot listen on {host} port {port}: {error.strerror}") from error
        listening.listen(_BACKLOG)
        listening.setblocking(False)
        sockets.append(listening)
    return sockets


async def addresses_of(name: str) -> tuple[str, str]:
    """The IPv4 and the IPv6 address of a name ("" for a family that it has not got), never a loopback one."""
    loop = asyncio.get_running_loop()
    found = {socket.AF_INET: "", socket.AF_INET6: ""}
    with contextlib.suppress(OSError):
        for family, _, _, _, address in await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM):
            text = str(address[0])
            if family in found and not found[family] and not text.startswith("127.") and text != "::1":
                found[family] = text
    return found[socket.AF_INET], found[socket.AF_INET6]
