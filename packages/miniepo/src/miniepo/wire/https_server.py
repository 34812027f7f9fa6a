"""ASGI applications on several ports at once, IPv4 and IPv6, plain and TLS, each request within limits."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

import uvicorn

from miniepo import config, log
from miniepo.clock import SystemClock
from miniepo.errors import ConfigError
from miniepo.patience import within
from miniepo.wire.door import Door
from miniepo.wire.slots import Slots
from miniepo.wire.tls import TlsContext, server_context

_BACKLOG = 256
_BODY_SECONDS = 30.0
_WHOLE_BODY_SECONDS = 120.0
_KEEP_ALIVE_SECONDS = 15
_HEADER_BYTES = 32 * 1024

Message = MutableMapping[str, Any]
_logger = log.logger("wire.https")


@dataclass(frozen=True, slots=True)
class Listener:
    """A port; with certificates it speaks TLS, and with `verify_client` to those alone whose certificate the CA signed.

    `app` is this port's own application, where it is not that of the others.
    """

    port: int
    tls: config.Tls | None = None
    verify_client: bool = False
    app: Any = None


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
        bounded = _Bounded(receive, limit, self._stall_seconds)

        async def send_and_close(message: Message) -> None:
            if bounded.cut and message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            await send(message)

        await self._app(scope, bounded, send_and_close)


class _Bounded:
    """A `receive` that counts bytes, and waits only so long for each piece and for the whole body."""

    def __init__(self, receive: Any, limit: int, stall_seconds: float) -> None:
        self._receive = receive
        self._end = asyncio.get_running_loop().time() + _WHOLE_BODY_SECONDS
        self._left = limit
        self._stall_seconds = stall_seconds
        self._complete = False
        self.cut = False

    async def __call__(self) -> Message:
        if self._complete:
            message: Message = await self._receive()
            return message
        left_seconds = self._end - asyncio.get_running_loop().time()
        if left_seconds <= 0:
            return self._cut_off()
        try:
            message = await within(self._receive(), min(self._stall_seconds, left_seconds))
        except TimeoutError:
            return self._cut_off()
        self._left -= len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message if self._left >= 0 else self._cut_off()

    def _cut_off(self) -> Message:
        """To the application the client has gone; what the connection still brings is nobody's."""
        self.cut = True
        return {"type": "http.disconnect"}


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
    """uvicorn behind doors of our own and without its signal handlers: one process runs several of them."""

    def __init__(self, settings: uvicorn.Config, tls: TlsContext | None, slots: Slots) -> None:
        super().__init__(settings)
        self.servers = []
        self._tls = tls
        self._slots = slots

    def close(self, sockets: Sequence[socket.socket]) -> None:
        """Let nobody in any more; needed where the server was cancelled instead of stopped."""
        for door in self.servers:
            door.close()
        for each in sockets:
            each.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        clock = SystemClock()
        await self.lifespan.startup()
        self.servers = [
            Door(listening, self.config, self.server_state, self._tls, self._slots, clock)  # type: ignore[misc]
            for listening in sockets or []
        ]
        self.started = True


async def serve(app: Any, hosts: Sequence[str], listeners: Sequence[Listener], slots: Slots | None = None) -> None:
    """Serve until SIGTERM or SIGINT; the ports are bound when the first await returns, or ConfigError is raised.

    All ports together have the connections of `slots`.
    """
    slots = slots or Slots()
    bound = [(_server(app, listener, slots), open_sockets(hosts, listener.port)) for listener in listeners]
    servers = [server for server, _ in bound]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    _logger.info("listening on %s, ports %s", ", ".join(hosts), ", ".join(str(each.port) for each in listeners))
    try:
        await asyncio.gather(*(server.serve(sockets) for server, sockets in bound))
    finally:
        for server, sockets in bound:
            server.close(sockets)


def _server(app: Any, listener: Listener, slots: Slots) -> _Server:
    settings = uvicorn.Config(
        listener.app or app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=_HEADER_BYTES,
    )
    settings.load()
    tls = server_context(listener.tls, verify_client=listener.verify_client) if listener.tls else None
    return _Server(settings, tls, slots)


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
