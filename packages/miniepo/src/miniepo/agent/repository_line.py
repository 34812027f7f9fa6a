"""A connection to one repository, straight or through a relay, from which files are fetched and checked."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import quote

from miniepo.agent.connector import connect_by_relay, connect_directly, plain, with_tls
from miniepo.agent.content_ways import ContentWay
from miniepo.agent.routes import asked_of_relay, targets_at, tls_port
from miniepo.errors import ContentError
from miniepo.protocol.discovery import Relay
from miniepo.protocol.sitelist import Site, join_host_port
from miniepo.wire.http_client import HttpConnection
from miniepo.wire.tls import TlsContext

_MAX_CATALOG_BYTES = 16 * 1024 * 1024


class RepositoryLine:
    """An open connection to a repository."""

    def __init__(self, site: Site, relay: Relay | None, http: HttpConnection) -> None:
        self.site = site
        self.relay = relay
        self._http = http

    async def read(self, path: str) -> bytes:
        """A small file, whole; raises TransferError."""
        answer = await self._http.request("GET", self._target(path), limit_bytes=_MAX_CATALOG_BYTES)
        return answer.expect(200).body

    async def fetch(self, path: str, into: Path, size: int, sha256: str) -> None:
        """A file onto the disk; ContentError if it is not what its catalog promises."""
        digest, length = hashlib.sha256(), 0
        with into.open("wb") as opened:

            def take(data: bytes) -> None:
                nonlocal length
                length += len(data)
                if length > size:
                    raise ContentError(f"{path}: longer than the {size} bytes of the catalog")
                digest.update(data)
                opened.write(data)

            answer = await self._http.download("GET", self._target(path), take)
        if answer.status != 200 or length != size or digest.hexdigest() != sha256:
            raise ContentError(f"{path} at {self.site.name}: status {answer.status}, {length} bytes, not as catalogued")

    async def close(self) -> None:
        await self._http.close()

    def _target(self, path: str) -> str:
        root = self.site.relative_path.strip("/")
        return quote(f"/{root}/{path}" if root else f"/{path}")


async def open_line(site: Site, way: ContentWay, tls: TlsContext) -> RepositoryLine:
    """A connection to a repository by this way; raises UnreachableError, or RefusedError with the relay's reason."""
    port, secure = _port(site), with_tls(tls, site) if site.kind == "SpipeSite" else plain
    if way.relay is None:
        stream = await connect_directly(targets_at(site, port), rounds=1, secure=secure)
    else:
        stream = await connect_by_relay(way.relay, asked_of_relay(site, port), secure)
    return RepositoryLine(site, way.relay, HttpConnection(stream, join_host_port(site.host, port)))


def _port(site: Site) -> int:
    """Handlers serve content on their TLS port too; other repositories on the port of the list."""
    return tls_port(site) if site.kind == "SpipeSite" else site.port
