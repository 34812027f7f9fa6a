"""A remote handler fetches what it lacks from the master, keeps it, and serves it when the master is away."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from field import Field, open_field
from speaker import fetch

from miniepo import config
from miniepo.wire.http_client import Answer

pytestmark = pytest.mark.integration


@pytest.fixture
def field(tmp_path: Path, database: config.Database) -> Iterator[Field]:
    with open_field(tmp_path, database) as made:
        yield made


def get(port: int, path: str, *headers: tuple[str, str]) -> Answer:
    return asyncio.run(fetch(port, "GET", path, headers=headers))


def test_a_remote_handler_caches_the_master(field: Field) -> None:
    master = field.handler("hq/epo")
    secure = field.sites[0].secure_port
    cache = field.folder / "cache"
    field.handler("dmz/ah", repository=str(cache), master={"url": f"https://localhost:{secure}/"})
    port = field.sites[1].port
    folder = field.folder / "repository" / "Current"
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"first" * 1000)

    assert get(port, "/Software/Current/a.bin").body == b"first" * 1000
    assert (cache / "Current" / "a.bin").read_bytes() == b"first" * 1000
    assert get(port, "/Software/Current/a.bin", ("Range", "bytes=5-9")).body == b"first"

    (folder / "a.bin").write_bytes(b"second")
    assert get(port, "/Software/Current/a.bin").body == b"second"
    (folder / "b.bin").write_bytes(b"b")
    (folder / "a.bin").unlink()
    assert get(port, "/Software/Current/a.bin").status == 404
    assert not (cache / "Current" / "a.bin").exists()

    assert get(port, "/Software/Current/b.bin").body == b"b"
    master.stop()
    assert get(port, "/Software/Current/b.bin").body == b"b"
    assert get(port, "/Software/Current/never-seen.bin").status == 404


def kept(cache: Path) -> set[str]:
    """Everything that lies in a cache."""
    return {str(each.relative_to(cache)) for each in cache.rglob("*")}


def test_what_nobody_has_leaves_no_trace_and_is_in_nothings_way(field: Field) -> None:
    master = field.handler("hq/epo")
    cache = field.folder / "cache"
    field.handler("dmz/ah", repository=str(cache), master={"url": f"https://localhost:{field.sites[0].secure_port}/"})
    port = field.sites[1].port
    repository = field.folder / "repository"
    (repository / "catalog.z").write_bytes(b"catalog")

    odd = ["catalog.z/x", "a/b/c/d/x", "\u00e4" * 200, "/".join(["deep"] * 2000)]
    for path in odd:
        assert get(port, f"/Software/{quote(path)}").status == 404
    assert kept(cache) <= {".arriving"}

    assert get(port, "/Software/catalog.z").body == b"catalog"
    assert get(port, "/Software/catalog.z/x").status == 404
    assert get(port, "/Software/catalog.z").body == b"catalog"
    before = kept(cache)
    master.stop()
    for path in [*odd, "catalog.z/x/y"]:
        assert get(port, f"/Software/{quote(path)}").status == 404
    assert kept(cache) == before


def test_what_an_earlier_version_left_in_the_way_goes(field: Field) -> None:
    field.handler("hq/epo")
    cache = field.folder / "cache"
    field.handler("dmz/ah", repository=str(cache), master={"url": f"https://localhost:{field.sites[0].secure_port}/"})
    port = field.sites[1].port
    (cache / "catalog.z" / "x" / "y").mkdir(parents=True)
    assert get(port, "/Software/catalog.z").status == 404
    repository = field.folder / "repository"
    (repository / "catalog.z").write_bytes(b"catalog")
    assert get(port, "/Software/catalog.z").body == b"catalog"

    (repository / "catalog.z").unlink()
    (repository / "catalog.z").mkdir()
    (repository / "catalog.z" / "x").write_bytes(b"x")
    assert get(port, "/Software/catalog.z/x").body == b"x"
    assert get(port, "/Software/catalog.z").status == 404
    assert get(port, "/Software/catalog.z/x").body == b"x"


def test_a_disk_that_takes_no_more_is_told_of(field: Field) -> None:
    field.handler("hq/epo")
    cache = field.folder / "cache"
    url = f"https://localhost:{field.sites[0].secure_port}/"
    handler = field.handler("dmz/ah", repository=str(cache), master={"url": url})
    port = field.sites[1].port
    (field.folder / "repository" / "big.bin").write_bytes(bytes(2 << 20))
    (field.folder / "repository" / "small.bin").write_bytes(b"small")
    resource.prlimit(handler.process.pid, resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

    answer = get(port, "/Software/big.bin")
    assert (answer.status, answer.body) == (503, b"the disk does not keep it; try another handler\n")
    assert "cannot serve big.bin: big.bin cannot be kept: [Errno 27] File too large" in handler.text()
    assert get(port, "/Software/small.bin").body == b"small"
    assert kept(cache) == {".arriving", "small.bin", ".small.bin.etag"}


def test_what_a_cache_keeps_for_itself_is_not_served(field: Field) -> None:
    field.handler("hq/epo")
    cache = field.folder / "cache"
    field.handler("dmz/ah", repository=str(cache), master={"url": f"https://localhost:{field.sites[0].secure_port}/"})
    (field.folder / "repository" / "a.bin").write_bytes(b"a")
    assert get(field.sites[1].port, "/Software/a.bin").status == 200
    assert (cache / ".a.bin.etag").exists()
    assert get(field.sites[1].port, "/Software/.a.bin.etag").status == 404
