"""The update task: from the chosen repository, compare each product with what is installed and bring it up to date.

The order of a session is that of a recorded 4.6 agent (domain §3.4): open the repository, fetch and verify catalog.z,
decide which products apply, fetch and verify PkgCatalog.z, verify the detection script, compare versions, download.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from miniepo.agent.content_ways import ContentWay, ContentWays, WayFailed
from miniepo.agent.repository_line import RepositoryLine, open_line
from miniepo.agent.settings import UpdateSettings
from miniepo.agent.state import StateDirectory
from miniepo.errors import ContentError, UnreachableError, WorldError
from miniepo.log import logger
from miniepo.protocol import content
from miniepo.protocol.content import CatalogEntry, PackageCatalog, PackageFile
from miniepo.protocol.sitelist import Site
from miniepo.protocol.task_settings import UpdateTask
from miniepo.repository import choose
from miniepo.wire import interfaces
from miniepo.wire.ping import ping
from miniepo.wire.tls import TlsContext

_log = logger("agent.update")
_BASE_VERSION = f"{content.BASE_DAT_VERSION}.0000"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an update went: the repository that was used and what is newly installed."""

    repository: str
    via_relay: str | None
    changed: dict[str, str]

    @property
    def text(self) -> str:
        """For the task's status."""
        what = ", ".join(f"{product} {version}" for product, version in self.changed.items()) or "already latest"
        return f"{self.repository}: {what}"


class Updater:
    """Runs update sessions."""

    def __init__(self, state: StateDirectory, tls: TlsContext, key: VerifyKey) -> None:
        self._state = state
        self._tls = tls
        self._key = key
        self.last: Outcome | None = None

    async def run(self, settings: UpdateSettings, wanted: UpdateTask) -> Outcome:
        """Update from the first repository that works; raises WorldError when none does."""
        failures: list[str] = []
        for site in await self._ordered(settings):
            try:
                self.last = await self._update_from(site, settings, wanted)
            except WorldError as error:
                _log.warning("repository %s: %s", site.name, error)
                failures.append(f"{site.name}: {error}")
            else:
                return self.last
        raise UnreachableError("no repository could be used: " + ("; ".join(failures) or "the site list has none"))

    async def _ordered(self, settings: UpdateSettings) -> Sequence[Site]:
        sites = self._state.sitelist().repositories
        if settings.mode == "order":
            return choose.order_by_list(sites)
        if settings.mode == "ping":
            return choose.order_by_ping(sites, await measure(sites))
        own = interfaces.networks(interfaces.read_interfaces())
        return choose.order_by_subnet(sites, own, self._state.routing.unreachable)

    async def _update_from(self, site: Site, settings: UpdateSettings, wanted: UpdateTask) -> Outcome:
        """Update from one repository by the first way that brings its content; raises the last way's WorldError."""
        routing = self._state.routing
        ways = ContentWays(routing.relays, skip_straight=site.name in routing.unreachable)
        failure: WorldError = UnreachableError("it does not answer, and no relay is known")
        way = ways.start()
        while way is not None:
            try:
                return await self._update_by(site, way, settings, wanted)
            except WorldError as error:
                _log.info("%s %s: %s", site.name, way.label, error)
                way, failure = ways.receive(WayFailed(way, error)), error
        raise failure

    async def _update_by(self, site: Site, way: ContentWay, settings: UpdateSettings, wanted: UpdateTask) -> Outcome:
        line = await open_line(site, way, self._tls)
        try:
            return await _Session(line, self._state, self._key).run(settings.branch, wanted.products)
        finally:
            await line.close()


async def measure(sites: Sequence[Site]) -> dict[str, float]:
    """The round trip to each site that answers, in milliseconds, by name; nothing where echoes are not allowed."""
    hosts = {site.name: site.address or site.address_v6 for site in sites}
    names = [name for name, host in hosts.items() if host]
    try:
        times = await asyncio.gather(*(ping(hosts[name]) for name in names))
    except PermissionError as error:
        _log.warning("round trips cannot be measured, so the list's order counts: %s", error)
        return {}
    return {name: took for name, took in zip(names, times, strict=True) if took is not None}


class _Session:
    """One update session with one repository."""

    def __init__(self, line: RepositoryLine, state: StateDirectory, key: VerifyKey) -> None:
        self._line = line
        self._state = state
        self._key = key

    async def run(self, branch: str, products: Sequence[str] | None) -> Outcome:
        catalog = content.parse_catalog(self._open(await self._line.read(content.CATALOG)))
        changed: dict[str, str] = {}
        for entry in catalog.entries:
            applies = entry.branch == branch and (products is None or entry.product in products)
            if applies and await self._update(entry):
                changed[entry.product] = entry.version
        relay = self._line.relay
        return Outcome(self._line.site.name, relay.computer_name if relay else None, changed)

    async def _update(self, entry: CatalogEntry) -> bool:
        """Bring one product to the repository's version; False if there is nothing to do."""
        installed = self._state.installed.get(entry.product)
        if installed == entry.version:
            return False
        package_path = f"{entry.path}/{content.PACKAGE_CATALOG}"
        package = content.parse_package_catalog(self._open(await self._line.read(package_path)))
        if package.entry.product != entry.product:
            raise ContentError(f"{package_path} is about {package.entry.product}")
        if package.entry.type == "DAT" and not _has_script(package):
            _log.warning("%s: no detection script in branch %s; skipped", entry.product, entry.branch)
            return False
        if package.entry.version == installed:
            return False
        await self._install(package, installed)
        return True

    async def _install(self, package: PackageCatalog, installed: str | None) -> None:
        entry = package.entry
        folder = self._state.path / "content" / entry.product
        arriving = folder.with_name(f".{entry.product}.new")
        shutil.rmtree(arriving, ignore_errors=True)
        arriving.mkdir(parents=True)
        for file in needed_files(package, installed):
            await self._line.fetch(f"{entry.path}/{file.name}", arriving / file.name, file.size, file.sha256)
        _replace_folder(arriving, folder)
        self._state.installed = self._state.installed | {entry.product: entry.version}
        _log.info("%s %s installed from %s", entry.product, entry.version, self._line.site.name)

    def _open(self, data: bytes) -> str:
        return content.unpack(data, self._is_signed)

    def _is_signed(self, signed: bytes, signature: bytes) -> bool:
        try:
            self._key.verify(signed, signature)
        except (BadSignatureError, ValueError):
            return False
        return True


def needed_files(package: PackageCatalog, installed: str | None) -> tuple[PackageFile, ...]:
    """What to download: the detection script, then the chain of increments, or the full set where there is none."""
    scripts = tuple(file for file in package.files if file.role == "script")
    chain = package.increments_from(installed or _BASE_VERSION)
    if chain is not None:
        return (*scripts, *chain)
    full = tuple(file for file in package.files if file.role == "full")
    return (*scripts, *(full or tuple(file for file in package.files if file.role == "file")))


def _has_script(package: PackageCatalog) -> bool:
    return any(file.role == "script" for file in package.files)


def _replace_folder(arriving: Path, folder: Path) -> None:
    outgoing = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(outgoing, ignore_errors=True)
    if folder.exists():
        folder.rename(outgoing)
    arriving.rename(folder)
    shutil.rmtree(outgoing, ignore_errors=True)
