"""How a handler calls an agent's wake-up port: one request, one answer, and an end however slowly the agent speaks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from miniepo.errors import SilentError
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import join_host_port
from miniepo.wire.http_client import Answer, HttpConnection
from miniepo.wire.stream import Stream, connect

LIMIT_SECONDS = 10.0
"""For the whole call: who drips its answer byte by byte must not hold one of the handler's few slots."""
_IDLE_SECONDS = 5.0
_MOST_BYTES = 64 * 1024


async def post(
    endpoint: Endpoint,
    path: str,
    body: bytes,
    limit_seconds: float = LIMIT_SECONDS,
    opened: Callable[[Endpoint], Awaitable[Stream]] = connect,
) -> Answer:
    """POST a message. Raises UnreachableError, also when the whole answer is not there in time, and TransferError."""
    stream = await opened(endpoint)
    # a cancellation can get lost in Python 3.11's wait_for when data come in the same moment; a dropped connection not
    dropping = asyncio.get_running_loop().call_later(limit_seconds, stream.abort)
    try:
        async with asyncio.timeout(limit_seconds):
            return await _exchange(stream, endpoint, path, body)
    except TimeoutError as error:
        place = join_host_port(endpoint.host, endpoint.port)
        raise SilentError(f"{place}: no whole answer within {limit_seconds:g} s") from error
    finally:
        dropping.cancel()


async def _exchange(stream: Stream, endpoint: Endpoint, path: str, body: bytes) -> Answer:
    host = join_host_port(endpoint.host, endpoint.port)
    connection = HttpConnection(stream, host, idle_seconds=_IDLE_SECONDS)
    try:
        headers = [("Content-Type", "application/json")]
        return await connection.request("POST", path, body, headers, limit_bytes=_MOST_BYTES)
    finally:
        await connection.close()
