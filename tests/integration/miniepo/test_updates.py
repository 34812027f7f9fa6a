"""The vendor's update server over a real socket."""

import asyncio
from pathlib import Path

import pytest

from miniepo.config import UpdatesConfig
from miniepo.updates.app import first_release, published_number, site_handler, vendor_site
from miniepo.wire.http_server import HttpServer

pytestmark = pytest.mark.integration


def config_of(root: Path) -> UpdatesConfig:
    return UpdatesConfig(root=str(root), increment_bytes=1000, full_set_bytes=20_000)


async def ask(port: int, head: str) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{head}\r\nHost: update.nai.com\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def answers(root: Path, *heads: str) -> list[bytes]:
    site = vendor_site(config_of(root))
    server = HttpServer(site_handler(site))
    port = await server.start(["127.0.0.1"], 0)
    try:
        return [await ask(port, head) for head in heads]
    finally:
        await server.close()


def test_visitors_get_the_site_with_ranges_and_nothing_else(tmp_path: Path) -> None:
    site = vendor_site(config_of(tmp_path))
    release = first_release(site, config_of(tmp_path))
    (tmp_path / "secret").write_text("not for visitors")
    gem = f"/Products/CommonUpdater/{release.entry.path}/{release.increment_name}"
    stat, part, outside, put = asyncio.run(
        answers(
            tmp_path,
            "GET /Products/CommonUpdater/SiteStat.xml HTTP/1.1",
            f"GET {gem} HTTP/1.1\r\nRange: bytes=990-",
            "GET /Products/CommonUpdater/../../secret HTTP/1.1",
            f"PUT {gem} HTTP/1.1\r\nContent-Length: 0",
        )
    )
    assert b'CatalogVersion="1"' in stat
    assert part.startswith(b"HTTP/1.1 206") and part.endswith(release.increment()[990:])
    assert outside.startswith(b"HTTP/1.1 404")
    assert put.startswith(b"HTTP/1.1 405")


def test_a_restart_goes_on_with_the_release_that_lies_there(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    site = vendor_site(config)
    assert published_number(site, config) == 0
    release = first_release(site, config)
    site.publish(type(release)(3, release.seed, release.increment_bytes, release.full_set_bytes), full_set=False)
    assert first_release(site, config).number == 3
