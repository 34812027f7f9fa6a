"""A remote handler fetches what it lacks from the master, keeps it, and serves it when the master is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

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


def test_what_a_cache_keeps_for_itself_is_not_served(field: Field) -> None:
    field.handler("hq/epo")
    cache = field.folder / "cache"
    field.handler("dmz/ah", repository=str(cache), master={"url": f"https://localhost:{field.sites[0].secure_port}/"})
    (field.folder / "repository" / "a.bin").write_bytes(b"a")
    assert get(field.sites[1].port, "/Software/a.bin").status == 200
    assert (cache / ".a.bin.etag").exists()
    assert get(field.sites[1].port, "/Software/.a.bin.etag").status == 404
