"""A TCP connection to a peer: opened within a time limit, straight or through a relay, wrapped in TLS when asked."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from miniepo.errors import SilentError, TransferError, UnreachableError, UntrustedError
from miniepo.patience import within
from miniepo.protocol import relay_session
from miniepo.protocol.relay_session import Endpoint
from miniepo.wire.tls import TlsContext

CONNECT_SECONDS = 1.5
RELAY_ANSWER_SECONDS = 4.0
CLOSE_SECONDS = 3.0
_HEAD_START_SECONDS = 0.25
_LINE_LIMIT = 64 * 1024

Result = TypeVar("Result")


@dataclass(slots=True)
class Stream:
    """A connected reader and writer pair."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    local_address: str = field(init=False)
    """This end's address, without a zone."""
    peer_address: str = field(init=False)
    """The other end's address, without a zone."""

    def __post_init__(self) -> None:
        """Ask for the addresses at once: a transport whose connection is gone knows them no more."""
        self.local_address = address_of(self.writer, "sockname")
        self.peer_address = address_of(self.writer, "peername")

    async def close(self) -> None:
        """End the connection, and drop it if the peer does not end it too; one that is gone already is no news."""
        if not self.writer.is_closing():
            self.writer.close()
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            await within(self.writer.wait_closed(), CLOSE_SECONDS)
        self.abort()

    def abort(self) -> None:
        """Drop the connection without waiting for anything."""
        # one of TLS that was closed twice has forgotten what to drop (Python 3.11.2), and is as good as gone
        with contextlib.suppress(AttributeError):
            self.writer.transport.abort()


def address_of(writer: asyncio.StreamWriter, end: str) -> str:
    """The plain address of an end (`sockname`, `peername`); "" if the connection was gone before it was asked."""
    name = writer.get_extra_info(end)
    return plain_address(name[0]) if name else ""


def plain_address(address: str) -> str:
    """An address without its zone, and an IPv4 one that came mapped into IPv6 as plain IPv4."""
    address = address.partition("%")[0]
    return address.removeprefix("::ffff:") if "." in address else address


async def resolve(host: str, timeout_seconds: float = CONNECT_SECONDS) -> tuple[str, ...]:
    """The addresses of a name, or the address itself; UnreachableError if the name is not known (in time)."""
    looking_up = asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    found = await _within(looking_up, timeout_seconds, f"name {host}")
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


async def connect(endpoint: Endpoint, timeout_seconds: float = CONNECT_SECONDS) -> Stream:
    """Open a connection, or raise UnreachableError within the time limit (a firewall may answer nothing at all)."""
    if not 0 < endpoint.port < 65536:
        raise UnreachableError(f"{endpoint}: there is no such port")
    opening = asyncio.create_task(
        asyncio.open_connection(
            endpoint.host, endpoint.port, limit=_LINE_LIMIT, happy_eyeballs_delay=_HEAD_START_SECONDS
        )
    )
    try:
        reader, writer = await _within(opening, timeout_seconds, f"{endpoint}")
    except BaseException:
        opening.add_done_callback(abandon)
        raise
    return Stream(reader, writer)


def abandon(opening: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]) -> None:
    """Drop a connection that came at the very moment at which nobody waited for it any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result()[1].transport.abort()


async def connect_first(endpoints: Sequence[Endpoint], timeout_seconds: float = CONNECT_SECONDS) -> Stream:
    """A connection to whichever endpoint answers first, each with a small head start over the next.

    Who is refused has lost it: the next one is tried at once.
    """
    if not endpoints:
        raise UnreachableError("no address to connect to")
    attempts: list[asyncio.Task[Stream]] = []
    for endpoint in endpoints:
        attempts.append(asyncio.create_task(_after(tuple(attempts), endpoint, timeout_seconds)))
    chosen: Stream | None = None
    try:
        chosen = await _first_success(attempts)
        return chosen
    finally:
        await _drop(attempts, chosen)


async def _after(earlier: Sequence[asyncio.Task[Stream]], endpoint: Endpoint, timeout_seconds: float) -> Stream:
    """Connect when the earlier attempts have had their head start, or have failed."""
    if earlier:
        await asyncio.wait(earlier, timeout=len(earlier) * _HEAD_START_SECONDS)
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


async def start_tls(stream: Stream, context: TlsContext, server_name: str, timeout_seconds: float = 5.0) -> None:
    """Turn the connection into TLS, or close it and raise UntrustedError, SilentError if the peer says nothing."""
    try:
        await _within(
            stream.writer.start_tls(context.current(), server_hostname=server_name),
            timeout_seconds,
            f"TLS with {server_name}",
        )
    except BaseException as error:
        stream.abort()
        if type(error) is UnreachableError:
            raise UntrustedError(str(error)) from error
        raise


async def _within(work: Awaitable[Result], timeout_seconds: float, what: str) -> Result:
    try:
        return await within(work, timeout_seconds)
    except TimeoutError as error:
        raise SilentError(f"{what}: no answer within {timeout_seconds:g} s") from error
    except asyncio.IncompleteReadError as error:
        raise UnreachableError(f"{what}: closed before the answer") from error
    except asyncio.LimitOverrunError as error:
        raise TransferError(f"{what}: the answer has no end") from error
    except (OSError, ssl.SSLError, ValueError, OverflowError) as error:  # a name or a port that none can be
        raise UnreachableError(f"{what}: {error}") from error
