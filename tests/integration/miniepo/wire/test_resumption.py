"""TLS sessions that are taken up again, against a real listener."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from miniepo.protocol.relay_session import Endpoint
from miniepo.wire.resumption import Resuming
from miniepo.wire.stream import Stream, connect, start_tls
from miniepo.wire.tls import client_context, server_context

pytestmark = pytest.mark.integration


async def reused(tls: Any, port: int) -> bool:
    """Whether a connection took a session up; it says a word and hears one."""
    stream = await connect(Endpoint("127.0.0.1", port))
    await start_tls(stream, tls, "localhost")
    stream.writer.write(b"hello\n")
    assert await stream.reader.readline() == b"hello\n"
    found = bool(stream.writer.get_extra_info("ssl_object").session_reused)
    await stream.close()
    return found


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(await reader.readline())
    await Stream(reader, writer).close()


def test_the_second_connection_takes_the_first_ones_session_up(keys: Any) -> None:
    async def run() -> list[bool]:
        context = server_context(keys.tls, verify_client=True).current()
        server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=context)
        port = int(server.sockets[0].getsockname()[1])
        tls = Resuming(client_context(keys.tls.ca, keys.tls.certificate, keys.tls.key))
        async with server:
            return [await reused(tls, port) for _ in range(3)]

    assert asyncio.run(run()) == [False, True, True]
