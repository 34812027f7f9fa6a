"""A response and how it is sent: bytes from memory, or a span of a file, by sendfile where the socket allows it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import h11

from miniepo.errors import TransferError
from miniepo.wire.http_request import Request
from miniepo.wire.uptake import while_taken

Headers = tuple[tuple[str, str], ...]

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Response:
    """A status, a body in memory or a file on disk (with ranges), and further headers."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Headers = ()
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """`count` bytes of a file from `start`; h11 counts them and passes them through untouched."""

    start: int
    count: int

    def __len__(self) -> int:
        return self.count


def choose_span(header: str | None, size: int) -> Span | None:
    """The span that a Range header asks for; the whole file without one; None if it cannot be satisfied."""
    matched = _RANGE.fullmatch(header.strip()) if header else None
    if matched is None or not any(matched.groups()):
        return Span(0, size)
    first, last = matched.groups()
    if not first:
        count = min(int(last), size)
        return Span(size - count, count) if count else None
    start, end = int(first), min(int(last), size - 1) if last else size - 1
    return Span(start, end - start + 1) if start <= end else None


async def send(
    response: Response, request: Request, state: h11.Connection, writer: asyncio.StreamWriter, idle_seconds: float
) -> None:
    """Write the response to a request; a file that went away meanwhile becomes 404.

    TimeoutError when the client takes too little of it in `idle_seconds`.
    """
    if response.file is None:
        await _send_bytes(response, request, state, writer, idle_seconds)
        return
    try:
        with response.file.open("rb") as opened:
            await _send_file(response, opened, request, state, writer, idle_seconds)
    except FileNotFoundError:
        await _send_bytes(Response(404, b"not here\n"), request, state, writer, idle_seconds)


async def _send_bytes(
    response: Response, request: Request, state: h11.Connection, writer: asyncio.StreamWriter, idle_seconds: float
) -> None:
    _send_head(response, len(response.body), state, writer)
    if response.body and request.method != "HEAD":
        writer.write(state.send(h11.Data(data=response.body)) or b"")
    writer.write(state.send(h11.EndOfMessage()) or b"")
    await _drain(writer, idle_seconds)


async def _send_file(
    response: Response,
    opened: Any,
    request: Request,
    state: h11.Connection,
    writer: asyncio.StreamWriter,
    idle_seconds: float,
) -> None:
    size = opened.seek(0, 2)
    asked = request.headers.get("range")
    span = choose_span(asked, size)
    if span is None:
        refused = Response(416, headers=(("Content-Range", f"bytes */{size}"),))
        await _send_bytes(refused, request, state, writer, idle_seconds)
        return
    _send_head(_ranged(response, span, size, asked), span.count, state, writer)
    if span.count and request.method != "HEAD":
        for part in state.send_with_data_passthrough(h11.Data(data=cast(bytes, span))) or ():
            await _write_part(part, opened, writer, idle_seconds)
    writer.write(state.send(h11.EndOfMessage()) or b"")
    await _drain(writer, idle_seconds)


async def _drain(writer: asyncio.StreamWriter, idle_seconds: float) -> None:
    """Wait until there is room for more; mostly there is."""
    if writer.transport.get_write_buffer_size():
        await while_taken(writer.drain(), writer, idle_seconds)
    else:
        await writer.drain()


async def _write_part(part: object, opened: Any, writer: asyncio.StreamWriter, idle_seconds: float) -> None:
    if not isinstance(part, Span):
        writer.write(cast(bytes, part))
        return
    await _drain(writer, idle_seconds)
    sending = asyncio.get_running_loop().sendfile(writer.transport, opened, part.start, part.count)
    sent = await while_taken(sending, writer, idle_seconds)
    if sent != part.count:
        raise TransferError("the file became shorter while it was sent")


def _ranged(response: Response, span: Span, size: int, asked: str | None) -> Response:
    headers = (*response.headers, ("Accept-Ranges", "bytes"))
    if asked is None or span.count == size:
        return Response(200, content_type=response.content_type, headers=headers)
    where = ("Content-Range", f"bytes {span.start}-{span.start + span.count - 1}/{size}")
    return Response(206, content_type=response.content_type, headers=(*headers, where))


def _send_head(response: Response, length: int, state: h11.Connection, writer: asyncio.StreamWriter) -> None:
    headers = [("Content-Type", response.content_type), ("Content-Length", str(length)), *response.headers]
    writer.write(state.send(h11.Response(status_code=response.status, headers=headers)) or b"")
