"""A relay on loopback, the places that it may and may not lead to, and clients that knock."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from miniepo.clock import SystemClock
from miniepo.config import RelayConfig
from miniepo.protocol import sitelist
from miniepo.protocol.sitelist import Site, SiteList
from miniepo.relay.app import RelayService
from miniepo.relay.forward import Limits
from miniepo.wire.tls import TlsContext, client_context
from tests.integration.miniepo.field import Authority

QUICK = Limits(connections=6, connections_of_one=4, request_seconds=0.5, connect_seconds=1.0, idle_seconds=1.0)
PATIENCE_SECONDS = 10.0
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Place:
    """A TCP server of a test: its port, and who came."""

    port: int = 0
    visits: list[asyncio.StreamWriter] = field(default_factory=list)


@asynccontextmanager
async def serving(serve: Serve | None = None) -> AsyncIterator[Place]:
    """A server on loopback; without `serve` it takes connections and neither reads nor writes."""
    place = Place()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        place.visits.append(writer)
        if serve is not None:
            await serve(reader, writer)
            writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=1024)
    place.port = server.sockets[0].getsockname()[1]
    try:
        yield place
    finally:
        for writer in place.visits:
            writer.transport.abort()
        server.close()


async def say_hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"hello\n")
    await writer.drain()
    await reader.read()


class Client:
    """One connection to the relay."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def says(self) -> dict[str, object]:
        answer: dict[str, object] = json.loads(await asyncio.wait_for(self.reader.readline(), PATIENCE_SECONDS))
        return answer

    async def is_dropped(self) -> bool:
        """Wait until the relay ends the connection; whatever it says before does not count."""
        with contextlib.suppress(ConnectionError):
            while await asyncio.wait_for(self.reader.read(65536), PATIENCE_SECONDS):
                pass
        return True


class Door:
    """The relay's port; whoever came is sent away at the end."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._clients: list[Client] = []

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self._clients.append(client)
        return client

    async def ask(self, target: str) -> Client:
        client = await self.connect()
        client.writer.write(json.dumps({"connect": target}).encode() + b"\n")
        return client

    async def told(self, target: str) -> dict[str, object]:
        """What the relay says to a request of a client that then leaves."""
        client = await self.ask(target)
        said = await client.says()
        client.writer.close()
        return said

    def close(self) -> None:
        for client in self._clients:
            client.writer.transport.abort()


@asynccontextmanager
async def relaying(folder: Path, *sites: Site, limits: Limits = QUICK) -> AsyncIterator[Door]:
    """A relay on loopback with a list of these sites."""
    (folder / "SiteList.xml").write_text(sitelist.write(SiteList("EPO", "1", sites)))
    config = RelayConfig(
        port=0,
        discovery_ports=(),
        sitelist=str(folder / "SiteList.xml"),
        computer_name="relay-1",
        guid="G1",
        listen=("127.0.0.1",),
    )
    relay = RelayService(config, SystemClock(), limits)
    door = Door(await relay.start())
    try:
        yield door
    finally:
        door.close()
        await relay.close()


def site(port: int, host: str = "127.0.0.1") -> Site:
    address = host if host[0].isdigit() else ""
    return Site("HttpSite", "listed", "repository", 1, host, port, address)


def tls_of(folder: Path) -> TlsContext:
    files = Authority(folder).issue("agent", ["localhost"])
    return client_context(files["ca"], files["certificate"], files["key"])
