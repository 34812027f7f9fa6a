"""Repository Pull: what a source site has and the master lacks comes in, small things first (domain §3.1, §3.3).

Catalogs, detection scripts and increments are one step; full sets are another, on a schedule of their own, so that a
new release is of use long before its full set has crossed the line.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from miniepo import config
from miniepo.errors import ContentError
from miniepo.protocol.content import CatalogEntry, PackageCatalog, PackageFile
from miniepo.server.jobs import Say
from miniepo.server.master import MasterRepository, Payload, verify_file
from miniepo.server.source import Source, open_source
from miniepo.store.repositories import Repositories


async def pull(
    master: MasterRepository, repositories: Repositories, site: config.SourceSite, full_sets: bool, say: Say
) -> bool:
    """Pull every package of a site; whether the master changed. Raises WorldError: the site, a transfer, a hash."""
    changed = False
    async with open_source(site) as source:
        catalog = await source.catalog()
        await say(f"{site.name}: catalog version {catalog.version}, {len(catalog.entries)} packages")
        for entry in catalog.entries:
            changed = await _pull_package(master, repositories, source, site.name, entry, full_sets, say) or changed
    return changed


async def _pull_package(
    master: MasterRepository,
    repositories: Repositories,
    source: Source,
    site_name: str,
    entry: CatalogEntry,
    full_sets: bool,
    say: Say,
) -> bool:
    offered = await source.package(entry)
    chosen = wanted(master, offered, full_sets)
    payload = [await _fetched(master, source, entry, file) for file in missing(master, chosen)]
    if not await master.check_in(chosen, payload):
        await say(f"{entry.path}: already latest ({entry.version})")
        return False
    await repositories.save_package(chosen, site_name)
    size = sum(each.file.size for each in payload)
    await say(f"{entry.path}: version {entry.version}, {len(payload)} files with {size} bytes pulled")
    return True


def wanted(master: MasterRepository, offered: PackageCatalog, full_sets: bool) -> PackageCatalog:
    """The package without the full sets that are not due and not here."""
    files = (file for file in offered.files if file.role != "full" or full_sets or master.has(offered.entry, file))
    return replace(offered, files=tuple(files))


def missing(master: MasterRepository, package: PackageCatalog) -> list[PackageFile]:
    """The files of a package that the master has not got, the smallest first."""
    lacking = [file for file in package.files if not master.has(package.entry, file)]
    return sorted(lacking, key=lambda file: file.size)


async def _fetched(master: MasterRepository, source: Source, entry: CatalogEntry, file: PackageFile) -> Payload:
    partial = _partial(master.incoming, file)
    await source.file(entry, file, partial)
    try:
        verify_file(partial, file)
    except ContentError:
        partial.unlink(missing_ok=True)
        raise
    return Payload(file, partial)


def _partial(folder: Path, file: PackageFile) -> Path:
    """Where the pieces of a file gather, named by its hash so that another try goes on with them."""
    return folder / f"{file.sha256}.part"
