"""HTTP/1.1 requests over one kept connection: an answer in memory, or its body streamed into a sink."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import h11

from miniepo.errors import HandlerFullError, TransferError
from miniepo.patience import within
from miniepo.wire.stream import Stream

Headers = Sequence[tuple[str, str]]
Sink = Callable[[bytes], object]

_CHUNK = 64 * 1024
_LONGEST_RETRY_SECONDS = 600.0
IDLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: its status, its headers (names in lower case) and its body (empty when a sink took it)."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    def expect(self, *statuses: int) -> Answer:
        """This answer if its status is one of these, else TransferError (HandlerFullError if it says when to retry)."""
        if self.status in statuses:
            return self
        text = f"answered {self.status}: {self.body[:200].decode('utf-8', 'replace').strip()}"
        retry_after = self.headers.get("retry-after", "")
        if self.status == 503 and retry_after.isdecimal():
            raise HandlerFullError(text, min(float(retry_after), _LONGEST_RETRY_SECONDS))
        raise TransferError(text)


class HttpConnection:
    """A client's end of a connection; requests go one after the other."""

    def __init__(self, stream: Stream, host: str, idle_seconds: float = IDLE_SECONDS) -> None:
        self.stream = stream
        self._host = host
        self._idle_seconds = idle_seconds
        self._state = h11.Connection(h11.CLIENT)

    async def request(
        self, method: str, target: str, body: bytes = b"", headers: Headers = (), limit_bytes: int = 16 * 1024 * 1024
    ) -> Answer:
        """Send a request and read the whole answer; a longer one than the limit is a TransferError."""
        collected = bytearray()

        def take(data: bytes) -> None:
            if len(collected) + len(data) > limit_bytes:
                raise TransferError(f"{method} {target}: the answer has more than {limit_bytes} bytes")
            collected.extend(data)

        answer = await self.download(method, target, take, body, headers)
        return Answer(answer.status, answer.headers, bytes(collected))

    async def download(self, method: str, target: str, sink: Sink, body: bytes = b"", headers: Headers = ()) -> Answer:
        """Send a request and give the answer's body to `sink` piece by piece."""
        if self._state.our_state is h11.DONE:
            self._state.start_next_cycle()
        try:
            await self._send(method, target, body, headers)
            return await self._receive(sink)
        except (OSError, ssl.SSLError, EOFError, h11.ProtocolError, TimeoutError) as error:
            self.stream.abort()
            raise TransferError(f"{method} {target}: {error or type(error).__name__}") from error

    @property
    def reusable(self) -> bool:
        """Whether another request may follow."""
        return self._state.our_state in (h11.IDLE, h11.DONE) and self._state.their_state in (h11.IDLE, h11.DONE)

    async def close(self) -> None:
        """End the connection."""
        await self.stream.close()

    async def _send(self, method: str, target: str, body: bytes, headers: Headers) -> None:
        lines = [("Host", self._host), ("Content-Length", str(len(body))), *headers]
        request = h11.Request(method=method, target=target, headers=lines)
        self._write(request)
        if body:
            self._write(h11.Data(data=body))
        self._write(h11.EndOfMessage())
        await within(self.stream.writer.drain(), self._idle_seconds)

    def _write(self, event: h11.Event) -> None:
        data = self._state.send(event)
        if data:
            self.stream.writer.write(data)

    async def _receive(self, sink: Sink) -> Answer:
        answer: Answer | None = None
        async with aclosing(self._events()) as events:
            async for event in events:
                if isinstance(event, h11.Response):
                    answer = Answer(event.status_code, {k.decode(): v.decode("latin-1") for k, v in event.headers})
                elif isinstance(event, h11.Data):
                    sink(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage) and answer is not None:
                    return answer
        raise EOFError("closed in the middle of an answer")

    async def _events(self) -> AsyncGenerator[h11.Event, None]:
        while True:
            event = self._state.next_event()
            if event is h11.NEED_DATA:
                data = await within(self.stream.reader.read(_CHUNK), self._idle_seconds)
                self._state.receive_data(data)
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                return
            else:
                assert isinstance(event, h11.Event)
                yield event
