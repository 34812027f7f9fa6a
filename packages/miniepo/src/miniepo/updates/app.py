"""The vendor's update server: publishes a release at start and one more each lab day, and serves the site over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from miniepo.config import UpdatesConfig
from miniepo.errors import ContentError
from miniepo.log import logger
from miniepo.protocol.content import BASE_DAT_VERSION, PACKAGE_CATALOG, parse_package_catalog, unpack
from miniepo.protocol.signing import load_signing_key
from miniepo.repository.serve import PREFIX, answer
from miniepo.updates.release import Release
from miniepo.updates.site import SITE_PATH, VendorSite
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response
from miniepo.wire.http_server import HttpServer

_log = logger("updates")


def main(config: UpdatesConfig) -> int:
    """Run until the process is ended."""
    asyncio.run(serve(config))
    return 0


async def serve(config: UpdatesConfig) -> None:
    """Serve the site, and go on publishing."""
    site = vendor_site(config)
    release = await asyncio.to_thread(first_release, site, config)
    server = HttpServer(site_handler(site))
    await server.start(config.listen, config.port)
    _log.info("serving %s on port %s", release.version, config.port)
    try:
        await go_on_publishing(site, release, config.increment_every_seconds)
    finally:
        await server.close()


def vendor_site(config: UpdatesConfig) -> VendorSite:
    """The site that the configuration describes; its catalogs are signed by the vendor's key if there is one."""
    key = load_signing_key(config.signing_key) if config.signing_key else None
    return VendorSite(Path(config.root), None if key is None else lambda data: key.sign(data).signature)


def first_release(site: VendorSite, config: UpdatesConfig) -> Release:
    """The release to begin with: the one that was last published, else the first; its small files at once."""
    number = published_number(site, config) or 1
    release = Release(number, config.seed, config.increment_bytes, config.full_set_bytes)
    site.publish(release, full_set=False)
    return release


def published_number(site: VendorSite, config: UpdatesConfig) -> int:
    """The number of the release that lies on the site; 0 if there is none that can be read."""
    probe = Release(1, config.seed, config.increment_bytes, config.full_set_bytes)
    path = site.folder / probe.entry.path / PACKAGE_CATALOG
    try:
        version = parse_package_catalog(unpack(path.read_bytes(), None)).entry.version
    except (FileNotFoundError, ContentError) as error:
        _log.info("no release yet: %s", error)
        return 0
    return int(version.partition(".")[0]) - BASE_DAT_VERSION


async def go_on_publishing(site: VendorSite, release: Release, every_seconds: float) -> None:
    """The full set of the first release follows its increments; then a release each lab day."""
    while True:
        await asyncio.to_thread(site.publish, release, full_set=True)
        _log.info("published %s with its full set, catalog version %s", release.version, site.catalog_version())
        await asyncio.sleep(every_seconds)
        release = Release(release.number + 1, release.seed, release.increment_bytes, release.full_set_bytes)


def site_handler(site: VendorSite) -> Callable[[Request], Awaitable[Response]]:
    """Answers a GET below `/Products/CommonUpdater/` with the file it names, anything else with a refusal."""
    prefix = f"/{SITE_PATH}/"

    async def handle(request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return Response(405, b"this site is for reading\n", headers=(("Allow", "GET, HEAD"),))
        if not request.path.startswith(prefix):
            return Response(404, b"not here\n")
        return answer(site.folder, PREFIX + request.path[len(prefix) :])

    return handle
