"""A source site as the pull task sees it: its catalogs, verified, and its files, fetched in resumable pieces."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

from nacl.exceptions import BadSignatureError

from miniepo import config
from miniepo.errors import ConfigError, ContentError, TransferError
from miniepo.protocol import content, signing
from miniepo.protocol.content import Catalog, CatalogEntry, PackageCatalog, PackageFile
from miniepo.protocol.relay_session import Endpoint
from miniepo.wire.http_client import Answer, HttpConnection
from miniepo.wire.stream import connect

_PIECE_BYTES = 4 * 1024 * 1024
_CONNECT_SECONDS = 5.0
Verify = Callable[[bytes, bytes], bool]


class Source:
    """An open connection to a source site, plain HTTP as in the field: signatures and hashes say what to believe."""

    def __init__(self, connection: HttpConnection, base_path: str, verify: Verify | None) -> None:
        self._connection = connection
        self._base_path = base_path
        self._verify = verify

    async def catalog_version(self) -> int:
        """What SiteStat.xml publishes."""
        return content.parse_site_stat((await self._get(content.SITE_STAT)).body.decode())

    async def catalog(self) -> Catalog:
        """The site's catalog.z."""
        data = (await self._get(content.CATALOG)).body
        return content.parse_catalog(content.unpack(data, self._verify))

    async def package(self, entry: CatalogEntry) -> PackageCatalog:
        """A package's PkgCatalog.z; ContentError if it is another version's, which the next pull will sort out."""
        data = (await self._get(f"{entry.path}/{content.PACKAGE_CATALOG}")).body
        package = content.parse_package_catalog(content.unpack(data, self._verify))
        if package.entry != entry:
            raise ContentError(f"{entry.path}: the package changed while it was pulled")
        return package

    async def file(self, entry: CatalogEntry, file: PackageFile, into: Path) -> None:
        """Fetch a package's file; pieces that an earlier try brought are kept. The caller verifies the whole."""
        with into.open("ab") as sink:
            done = sink.tell()
            while done < file.size:
                piece = await self._piece(f"{entry.path}/{file.name}", done, file.size)
                sink.write(piece)
                done += len(piece)

    async def _piece(self, path: str, start: int, size: int) -> bytes:
        end = min(start + _PIECE_BYTES, size) - 1
        answer = await self._get(path, ("Range", f"bytes={start}-{end}"))
        if answer.status == 206 and answer.headers.get("content-range", "").startswith(f"bytes {start}-"):
            return answer.body
        if answer.status == 200 and start == 0 and len(answer.body) == size:
            return answer.body
        raise TransferError(f"{path}: the site did not give the bytes {start}-{end} that it was asked for")

    async def _get(self, path: str, *headers: tuple[str, str]) -> Answer:
        answer = await self._connection.request("GET", f"{self._base_path}/{quote(path)}", b"", headers)
        return answer.expect(200, 206)


@contextlib.asynccontextmanager
async def open_source(site: config.SourceSite) -> AsyncIterator[Source]:
    """Connect to a source site; raises UnreachableError."""
    parts = urlsplit(site.url)
    if parts.scheme != "http" or not parts.hostname:
        raise ConfigError(f"source site {site.name}: {site.url!r} is not an http:// address")
    endpoint = Endpoint(parts.hostname, parts.port or 80)
    connection = HttpConnection(await connect(endpoint, _CONNECT_SECONDS), str(endpoint))
    try:
        yield Source(connection, parts.path.rstrip("/"), _verifier(site))
    finally:
        await connection.close()


def _verifier(site: config.SourceSite) -> Verify | None:
    """How catalogs of this site are believed; without a configured key only hashes are checked."""
    if site.public_key is None:
        return None
    key = signing.load_verify_key(site.public_key)

    def verify(data: bytes, signature: bytes) -> bool:
        try:
            key.verify(data, signature)
        except (BadSignatureError, ValueError):
            return False
        return True

    return verify
