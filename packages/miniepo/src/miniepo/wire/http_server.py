"""A small HTTP/1.1 server: kept connections, limits on bodies, connections and time, files with ranges by sendfile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence

import h11

from miniepo.errors import TransferError
from miniepo.log import logger
from miniepo.patience import within
from miniepo.wire import http_response
from miniepo.wire.http_request import Limits, Request
from miniepo.wire.http_response import Response
from miniepo.wire.stream import address_of
from miniepo.wire.uptake import while_taken

Handle = Callable[[Request], Awaitable[Response]]
Divert = Callable[[asyncio.StreamWriter, bytes], bool]
"""Gets a connection and its first bytes; True if it took the connection for something that is not HTTP."""

_CHUNK = 64 * 1024
_LAST_WORDS_SECONDS = 1.0
_log = logger("wire.http")


class _Silence:
    """The connections whose next bytes are waited for, the longest wait first."""

    def __init__(self, first_seconds: float) -> None:
        self._first_seconds = first_seconds
        self._since: dict[asyncio.StreamWriter, tuple[float, bool]] = {}

    @contextlib.contextmanager
    def of(self, writer: asyncio.StreamWriter, *, asked: bool) -> Iterator[None]:
        """A connection is waited for; `asked` once the head of a request has come."""
        self._since[writer] = (asyncio.get_running_loop().time(), asked)
        try:
            yield
        finally:
            self._since.pop(writer, None)

    def drop_one(self) -> bool:
        """Drop one that has asked for nothing yet, or is later than a first byte may be; False if there is none."""
        overdue = asyncio.get_running_loop().time() - self._first_seconds
        for writer, (since, asked) in self._since.items():
            if not asked or since < overdue:
                del self._since[writer]
                writer.transport.abort()
                return True
        return False


class HttpServer:
    """Listens on one port, on every given address, and answers each request by `handle`.

    When all connections are in use, one that is silent gives way to the next that comes, so that nobody shuts the port
    by doing nothing. There is no limit for one address: a site behind NAT and a swarm are many agents at one address,
    and a handler wakes a swarm by dozens of connections at once.
    """

    def __init__(self, handle: Handle, limits: Limits = Limits(), divert: Divert | None = None) -> None:  # noqa: B008 - frozen
        self._handle = handle
        self._divert = divert
        self._limits = limits
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._silence = _Silence(limits.first_seconds)

    async def start(self, listen: Sequence[str], port: int) -> int:
        """Listen; the port in use comes back (of interest when 0 was asked for)."""
        self._server = await asyncio.start_server(self._accept, list(listen), port, backlog=128)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and drop what is connected."""
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._open) >= self._limits.connections and not self._silence.drop_one():
            writer.transport.abort()
            return
        self._open.add(task)
        patience = self._limits.idle_seconds
        try:
            with self._silence.of(writer, asked=False):
                first = await within(reader.read(_CHUNK), self._limits.first_seconds)
            if self._divert is None or not self._divert(writer, first):
                await _Exchange(reader, writer, self._handle, self._limits, self._silence, first).run()
        except (OSError, EOFError, TimeoutError, h11.ProtocolError, TransferError) as error:
            _log.debug("connection ended: %s", error or type(error).__name__)
            if isinstance(error, TimeoutError):
                writer.transport.abort()
        except asyncio.CancelledError:
            _log.debug("connection dropped: the server stops")
            patience = _LAST_WORDS_SECONDS
        finally:
            await _close(writer, patience)
            self._open.discard(task)


async def _close(writer: asyncio.StreamWriter, patience: float) -> None:
    """Close as soon as the client has what was written; drop one that does not take it."""
    writer.close()
    with contextlib.suppress(OSError):
        try:
            await while_taken(writer.wait_closed(), writer, patience)
        except TimeoutError:
            writer.transport.abort()


class _Exchange:
    """One client's connection: requests and responses in turn."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handle: Handle,
        limits: Limits,
        silence: _Silence,
        first: bytes,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._handle = handle
        self._limits = limits
        self._silence = silence
        self._asked = False
        self._state = h11.Connection(h11.SERVER)
        self._state.receive_data(first)
        self._peer = address_of(writer, "peername")

    async def run(self) -> None:
        while True:
            event = await within(self._next_event(), self._limits.idle_seconds)
            if not isinstance(event, h11.Request):
                return
            self._asked = True
            await self._answer(event)
            if not self._ready_for_more():
                return
            self._state.start_next_cycle()

    async def _answer(self, event: h11.Request) -> None:
        request = Request.read(event, self._peer, self._body_piece, self._limits)
        response = await self._respond(request)
        await request.drain(self._limits.body_bytes)
        await http_response.send(response, request, self._state, self._writer, self._limits.idle_seconds)

    async def _respond(self, request: Request) -> Response:
        try:
            return await self._handle(request)
        except (OSError, EOFError, TimeoutError, h11.ProtocolError, TransferError):
            raise
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            return Response(500, b"internal error\n")

    def _ready_for_more(self) -> bool:
        return self._state.our_state is h11.DONE and self._state.their_state is h11.DONE

    async def _body_piece(self) -> bytes | None:
        """The next piece of the request's body, None at its end."""
        if self._state.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            self._writer.write(self._state.send(go_on) or b"")
        event = await self._next_event()
        if isinstance(event, h11.Data):
            return bytes(event.data)
        if isinstance(event, h11.EndOfMessage):
            return None
        raise EOFError("closed in the middle of a request")

    async def _next_event(self) -> object:
        while True:
            event = self._state.next_event()
            if event is not h11.NEED_DATA:
                return event
            with self._silence.of(self._writer, asked=self._asked):
                data = await within(self._reader.read(_CHUNK), self._limits.idle_seconds)
            self._state.receive_data(data)
