"""A TCP connection to a peer: opened within a time limit, straight or through a relay, wrapped in TLS when asked."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from miniepo.errors import ConfigError, SilentError, TransferError, UnreachableError
from miniepo.protocol import relay_session
from miniepo.protocol.relay_session import Endpoint

CONNECT_SECONDS = 1.5
RELAY_ANSWER_SECONDS = 4.0
_HEAD_START_SECONDS = 0.25
_LINE_LIMIT = 64 * 1024

Result = TypeVar("Result")
TlsContext = ssl.SSLContext


@dataclass(slots=True)
class Stream:
    """A connected reader and writer pair."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @property
    def local_address(self) -> str:
        """This end's address, without a zone."""
        return plain_address(self.writer.get_extra_info("sockname")[0])

    @property
    def peer_address(self) -> str:
        """The other end's address, without a zone."""
        return plain_address(self.writer.get_extra_info("peername")[0])

    async def close(self) -> None:
        """End the connection; a peer that is gone already is no news."""
        self.writer.close()
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            await asyncio.wait_for(self.writer.wait_closed(), 1.0)

    def abort(self) -> None:
        """Drop the connection without waiting for anything."""
        self.writer.transport.abort()


def plain_address(address: str) -> str:
    """An address without its zone, and an IPv4 one that came mapped into IPv6 as plain IPv4."""
    address = address.partition("%")[0]
    return address.removeprefix("::ffff:") if "." in address else address


def client_context(ca: str | Path) -> ssl.SSLContext:
    """TLS towards servers whose certificate the CA in the PEM file `ca` has signed."""
    try:
        context = ssl.create_default_context(cafile=str(ca))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{ca}: cannot be used as a CA file: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def resolve(host: str, timeout_seconds: float = CONNECT_SECONDS) -> tuple[str, ...]:
    """The addresses of a name, or the address itself; UnreachableError if the name is not known (in time)."""
    looking_up = asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    found = await _within(looking_up, timeout_seconds, f"name {host}")
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


async def connect(endpoint: Endpoint, timeout_seconds: float = CONNECT_SECONDS) -> Stream:
    """Open a connection, or raise UnreachableError within the time limit (a firewall may answer nothing at all)."""
    opening = asyncio.open_connection(
        endpoint.host, endpoint.port, limit=_LINE_LIMIT, happy_eyeballs_delay=_HEAD_START_SECONDS
    )
    reader, writer = await _within(opening, timeout_seconds, f"{endpoint}")
    return Stream(reader, writer)


async def connect_first(endpoints: Sequence[Endpoint], timeout_seconds: float = CONNECT_SECONDS) -> Stream:
    """A connection to whichever endpoint answers first, each with a small head start over the next."""
    if not endpoints:
        raise UnreachableError("no address to connect to")
    attempts = [
        asyncio.create_task(_delayed(rank * _HEAD_START_SECONDS, endpoint, timeout_seconds))
        for rank, endpoint in enumerate(endpoints)
    ]
    chosen: Stream | None = None
    try:
        chosen = await _first_success(attempts)
        return chosen
    finally:
        await _drop(attempts, chosen)


async def _delayed(delay_seconds: float, endpoint: Endpoint, timeout_seconds: float) -> Stream:
    await asyncio.sleep(delay_seconds)
    return await connect(endpoint, timeout_seconds)


async def _first_success(attempts: Sequence[asyncio.Task[Stream]]) -> Stream:
    failures: list[UnreachableError] = []
    for done in asyncio.as_completed(attempts):
        try:
            return await done
        except UnreachableError as error:
            failures.append(error)
    kind = SilentError if any(isinstance(failure, SilentError) for failure in failures) else UnreachableError
    raise kind("; ".join(map(str, failures)))


async def _drop(attempts: Sequence[asyncio.Task[Stream]], chosen: Stream | None) -> None:
    """Cancel what still runs, and close connections that came second."""
    for attempt in attempts:
        attempt.cancel()
    for result in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(result, Stream) and result is not chosen:
            result.abort()


async def connect_through(
    relays: Sequence[Endpoint], target: Endpoint, timeout_seconds: float = CONNECT_SECONDS
) -> Stream:
    """Open a connection to `target` through a relay at any of its addresses; RefusedError is the relay's own no."""
    stream = await connect_first(relays, timeout_seconds)
    what = f"{target} through relay {stream.peer_address}"
    try:
        stream.writer.write(relay_session.encode_request(target))
        line = await _within(stream.reader.readuntil(b"\n"), RELAY_ANSWER_SECONDS, what)
        relay_session.check_answer(line)
    except BaseException:
        stream.abort()
        raise
    return stream


async def start_tls(stream: Stream, context: ssl.SSLContext, server_name: str, timeout_seconds: float = 5.0) -> None:
    """Turn the connection into TLS, or close it and raise UnreachableError."""
    try:
        await _within(
            stream.writer.start_tls(context, server_hostname=server_name), timeout_seconds, f"TLS with {server_name}"
        )
    except BaseException:
        stream.abort()
        raise


async def _within(work: Awaitable[Result], timeout_seconds: float, what: str) -> Result:
    try:
        return await asyncio.wait_for(work, timeout_seconds)
    except TimeoutError as error:
        raise SilentError(f"{what}: no answer within {timeout_seconds:g} s") from error
    except asyncio.IncompleteReadError as error:
        raise UnreachableError(f"{what}: closed before the answer") from error
    except asyncio.LimitOverrunError as error:
        raise TransferError(f"{what}: the answer has no end") from error
    except (OSError, ssl.SSLError) as error:
        raise UnreachableError(f"{what}: {error}") from error
