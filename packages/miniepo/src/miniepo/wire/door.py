"""Accepts the connections of an ASGI server: each holds a slot from its first packet on, and none may dawdle.

The slot is taken before the TLS handshake and given back when the connection is gone. A connection above the limit is
answered 503 with the reason and with `Retry-After`. Whoever does not finish the handshake, the head of a request or the
reading of an answer in time is cut off (bodies: `BodyLimit`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from miniepo.clock import Clock
from miniepo.log import logger
from miniepo.patience import within
from miniepo.wire.client_name import CLIENT_NAME, common_name
from miniepo.wire.slots import Slots, Verdict
from miniepo.wire.tls import TlsContext
from miniepo.wire.uptake import Measure, Watch, uptake_of

HANDSHAKE_SECONDS = 10.0
HEAD_SECONDS = 10.0
STUCK_SECONDS = 30.0
RETRY_AFTER_SECONDS = 5
_SHUTDOWN_SECONDS = 2.0
_PAUSE_AFTER_ERROR_SECONDS = 0.1
_AT_ONCE = 64
_REFUSED_BODY_BYTES = 64 * 1024
_REFUSED_BODY_SECONDS = 2.0

_log = logger("wire.door")


class Connection(H11Protocol):
    """uvicorn's connection, with a time limit for the head of each request and for an answer that nobody reads.

    An answer may take as long as it is taken: until then the connection is neither idle nor closed.
    """

    def __init__(
        self,
        settings: uvicorn.Config,
        state: ServerState,
        clock: Clock,
        ended: Callable[[], None],
        measure: Measure = uptake_of,
    ) -> None:
        super().__init__(settings, state, {})
        self._clock = clock
        self._ended = ended
        self._measure = measure
        self._socket: socket.socket
        self._over = False
        self._waiting_since: float | None = None
        self._closing_since: float | None = None
        self._watch = Watch(STUCK_SECONDS)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._socket = transport.get_extra_info("socket")
        self.app_state = {CLIENT_NAME: common_name(transport.get_extra_info("peercert"))}
        self._waiting_since = self._clock.monotonic()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering:
            self._waiting_since = None
        elif self._waiting_since is None:
            self._waiting_since = self._clock.monotonic()

    def eof_received(self) -> None:
        """The client has said goodbye: it may come again before this connection's end has gone through the loop."""
        super().eof_received()
        if (self.cycle is None or self.cycle.response_complete) and not self._measure(self._socket).waits:
            self._end()

    def timeout_keep_alive_handler(self) -> None:
        """No other request has come; the last one's answer may still be on its way."""
        if self._measure(self._socket).waits:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        else:
            super().timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end()

    def _end(self) -> None:
        """Tell once that it is over."""
        if not self._over:
            self._over = True
            self._ended()

    def on_response_complete(self) -> None:
        self._waiting_since = None
        super().on_response_complete()

    def cut_if_overdue(self) -> None:
        """Drop a client that takes its time; it has cost a slot for long enough."""
        now, seen = self._clock.monotonic(), self._measure(self._socket)
        if self._waiting_since is not None and now - self._waiting_since > HEAD_SECONDS:
            self._cut_off(f"no whole request within {HEAD_SECONDS:g} s")
        elif self._watch.is_stuck(now, seen):
            self._cut_off("it takes too little of its answer")
        elif not self.transport.is_closing() or seen.waits:
            self._closing_since = None
        elif self._closing_since is None:
            self._closing_since = now
        elif now - self._closing_since > _SHUTDOWN_SECONDS:
            self._cut_off("it does not say goodbye")

    def _cut_off(self, reason: str) -> None:
        """End the connection, however far its closing has come: a TLS transport that was closed twice does nothing."""
        _log.warning("%s: cut off, %s", self.client, reason)
        self.transport.abort()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


async def busy(scope: Any, receive: Any, send: Any) -> None:
    """The whole application for a connection above the limit (an HTTP request is all that it is given)."""
    with contextlib.suppress(TimeoutError):
        await within(_take_body(receive), _REFUSED_BODY_SECONDS)
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"retry-after", str(RETRY_AFTER_SECONDS).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    text = "all connections of this handler are in use; try another handler, or this one later\n"
    await send({"type": "http.response.body", "body": text.encode()})


async def _take_body(receive: Any) -> None:
    """Read what a client says before it listens: an answer to one that still speaks is lost."""
    left = _REFUSED_BODY_BYTES
    message = await receive()
    while message.get("more_body") and left > 0:
        left -= len(message.get("body", b""))
        message = await receive()


class Door:
    """One listening socket; as an entry of uvicorn's `servers` it is closed and awaited when the server stops."""

    def __init__(
        self,
        listening: socket.socket,
        settings: uvicorn.Config,
        state: ServerState,
        tls: TlsContext | None,
        slots: Slots,
        clock: Clock,
    ) -> None:
        self._listening = listening
        self._settings = settings
        self._state = state
        self._tls = tls
        self._slots = slots
        self._clock = clock
        self._tasks = {asyncio.create_task(self._accept()), asyncio.create_task(self._sweep())}

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1)
            for connection in list(self._state.connections):
                if isinstance(connection, Connection):
                    connection.cut_if_overdue()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._slots.room()
            try:
                client, _ = await loop.sock_accept(self._listening)
                self._receive(client)
                self._accept_the_others()
            except OSError as error:
                _log.warning("cannot accept a connection: %s", error)
                await asyncio.sleep(_PAUSE_AFTER_ERROR_SECONDS)

    def _accept_the_others(self) -> None:
        """Who has come meanwhile: one connection in each turn of a busy loop would leave the last ones to time out."""
        for _ in range(_AT_ONCE):
            if not self._slots.has_room:
                return
            try:
                client, _ = self._listening.accept()
            except BlockingIOError:
                return
            client.setblocking(False)
            self._receive(client)

    def _receive(self, client: socket.socket) -> None:
        verdict = self._slots.take()
        if verdict != "serve" and self._slots.may_say(self._clock):
            text = "all %d connections are in use; %d were refused since the start"
            _log.warning(text, self._slots.limit, self._slots.refused)
        attending = asyncio.create_task(self._attend(client, verdict))
        self._tasks.add(attending)
        attending.add_done_callback(self._tasks.discard)

    async def _attend(self, client: socket.socket, verdict: Verdict) -> None:
        """Dress the connection and hand it over to uvicorn; its slot is given back once, whatever comes."""
        give_back = partial(self._slots.give_back, verdict)
        made = Connection(self._settings, self._state, self._clock, give_back)
        if verdict == "refuse":
            made.app = busy
        try:
            await self._dress(made, client)
        except (OSError, ssl.SSLError) as error:
            _log.info("a client was not let in: %s", error or type(error).__name__)
        finally:
            if made.transport is None:
                give_back()

    async def _dress(self, made: Connection, client: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        if self._tls is None:
            await loop.connect_accepted_socket(lambda: made, client)
            return
        await loop.connect_accepted_socket(
            lambda: made,
            client,
            ssl=self._tls.current(),
            ssl_handshake_timeout=HANDSHAKE_SECONDS,
            ssl_shutdown_timeout=STUCK_SECONDS,
        )
