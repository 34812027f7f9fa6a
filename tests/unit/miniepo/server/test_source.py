"""Files come from a source site in pieces, and an interrupted one goes on where it stopped."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from miniepo.config import SourceSite
from miniepo.errors import ConfigError, ContentError, TransferError
from miniepo.protocol import content
from miniepo.protocol.content import Catalog, CatalogEntry, PackageCatalog, PackageFile
from miniepo.server.source import Source, open_source
from miniepo.wire.http_client import Answer

ENTRY = CatalogEntry("Current", "PROBE", "Install", "0000", "1")
DATA = bytes(range(256)) * 40_000
FILE = PackageFile("a.bin", len(DATA), "unchecked here")


class ListedSite:
    """A connection to a site in memory that notes what it is asked for, and breaks after some answers."""

    def __init__(self, files: dict[str, bytes], ranges: bool = True, breaks_after: int = 99) -> None:
        self.asked: list[tuple[str, str]] = []
        self._files = files
        self._ranges = ranges
        self._left = breaks_after

    async def request(self, method: str, target: str, body: bytes, headers: tuple[tuple[str, str], ...]) -> Answer:
        wanted = dict(headers).get("Range", "")
        self.asked.append((target, wanted))
        self._left -= 1
        if self._left < 0:
            raise TransferError("the line broke")
        data = self._files.get(target)
        if data is None:
            return Answer(404, {}, b"not here")
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)
        if not match or not self._ranges:
            return Answer(200, {}, data)
        start, end = int(match[1]), int(match[2])
        return Answer(206, {"content-range": f"bytes {start}-{end}/{len(data)}"}, data[start : end + 1])


def source(site: ListedSite) -> Source:
    return Source(site, "/base", None)  # type: ignore[arg-type]


PATH = f"/base/{ENTRY.path}/a.bin"


def test_a_file_comes_in_pieces(tmp_path: Path) -> None:
    site = ListedSite({PATH: DATA})
    asyncio.run(source(site).file(ENTRY, FILE, tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == DATA
    assert [wanted for _, wanted in site.asked] == [
        "bytes=0-4194303",
        "bytes=4194304-8388607",
        "bytes=8388608-10239999",
    ]


def test_an_interrupted_file_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with pytest.raises(TransferError):
        asyncio.run(source(ListedSite({PATH: DATA}, breaks_after=1)).file(ENTRY, FILE, tmp_path / "a"))
    site = ListedSite({PATH: DATA})
    asyncio.run(source(site).file(ENTRY, FILE, tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == DATA
    assert site.asked[0][1] == "bytes=4194304-8388607"


def test_a_site_without_ranges_gives_the_whole_file_or_nothing(tmp_path: Path) -> None:
    asyncio.run(source(ListedSite({PATH: DATA}, ranges=False)).file(ENTRY, FILE, tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == DATA
    (tmp_path / "b").write_bytes(DATA[:100])
    with pytest.raises(TransferError):
        asyncio.run(source(ListedSite({PATH: DATA}, ranges=False)).file(ENTRY, FILE, tmp_path / "b"))


def test_catalogs_are_read_and_a_package_that_moved_on_is_noticed() -> None:
    other = CatalogEntry("Current", "PROBE", "Install", "0000", "2")
    files = {
        "/base/SiteStat.xml": content.write_site_stat(5).encode(),
        "/base/catalog.z": content.pack(content.write_catalog(Catalog(5, (ENTRY,))), None),
        f"/base/{ENTRY.path}/PkgCatalog.z": content.pack(
            content.write_package_catalog(PackageCatalog(other, ())), None
        ),
    }
    opened = source(ListedSite(files))
    assert asyncio.run(opened.catalog_version()) == 5
    assert asyncio.run(opened.catalog()).entries == (ENTRY,)
    with pytest.raises(ContentError, match="changed while"):
        asyncio.run(opened.package(ENTRY))
    with pytest.raises(TransferError):
        asyncio.run(opened.file(ENTRY, FILE, Path("/dev/null")))


@pytest.mark.parametrize("url", ["ftp://update.nai.com/", "update.nai.com", ""])
def test_a_site_must_be_http(url: str) -> None:
    async def opened() -> None:
        async with open_source(SourceSite(name="x", url=url)):
            pass

    with pytest.raises(ConfigError):
        asyncio.run(opened())
