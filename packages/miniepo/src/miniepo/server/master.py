"""The master repository on disk: packages come in, catalogs and Replica.logs follow, in an order that misleads nobody.

Payload first, then the package's PkgCatalog.z, then every Replica.log, then catalog.z and SiteStat.xml; files that no
catalog names any more go last. Whoever reads meanwhile sees the old state or the new one.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from miniepo.errors import ContentError
from miniepo.protocol import content
from miniepo.protocol.content import BRANCHES, Catalog, CatalogEntry, PackageCatalog, PackageFile, ReplicaLog
from miniepo.repository.mirror import hash_file, read_tree, write_logs

INCOMING = ".incoming"


@dataclass(frozen=True, slots=True)
class Payload:
    """A file to check in: what the catalog shall say of it, and where it lies now (it is moved from there)."""

    file: PackageFile
    path: Path


class MasterRepository:
    """The directory that the handlers serve as `/Software/`; one writer at a time."""

    def __init__(self, root: Path, key: SigningKey, now: Callable[[], float]) -> None:
        self.root = root
        self._key = key
        self._now = now
        self._writing = asyncio.Lock()

    @property
    def incoming(self) -> Path:
        """Where files wait until they are complete; never served."""
        folder = self.root / INCOMING
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def version(self) -> int:
        """The catalog version that is published; 0 before the first."""
        try:
            return content.parse_site_stat((self.root / content.SITE_STAT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return 0

    def package(self, entry: CatalogEntry) -> PackageCatalog | None:
        """The package that is checked in under an entry's path, whatever its version."""
        path = self.root / entry.path / content.PACKAGE_CATALOG
        if not path.is_file():
            return None
        return content.parse_package_catalog(content.unpack(path.read_bytes(), self._is_own))

    def packages(self) -> Iterator[PackageCatalog]:
        """Every package, by branch and name."""
        for branch in BRANCHES:
            for path in sorted((self.root / branch).glob(f"*/*/*/{content.PACKAGE_CATALOG}")):
                yield content.parse_package_catalog(content.unpack(path.read_bytes(), self._is_own))

    def tree(self) -> dict[str, ReplicaLog]:
        """The published Replica.logs by directory."""
        tree: dict[str, ReplicaLog] = {}
        self._read_log("", tree)
        return tree

    async def prepare(self) -> None:
        """Make an empty repository complete, so that it can be served and mirrored."""
        async with self._writing:
            if self.version() == 0:
                await asyncio.to_thread(self._publish)

    async def check_in(self, package: PackageCatalog, payload: Sequence[Payload]) -> bool:
        """Take a package in; payload that the catalog names and that lies in place already need not be given.

        False if nothing changed. Raises ContentError if a file is missing or not what the catalog says.
        """
        async with self._writing:
            if self.package(package.entry) == package:
                return False
            await asyncio.to_thread(self._check_in, package, payload)
            return True

    async def remove(self, branch: str, product: str, type: str) -> CatalogEntry | None:
        """Take a package out; what was taken out, or None if there was none."""
        async with self._writing:
            found = (package.entry for package in self.packages())
            wanted = (branch, product, type)
            entry = next((each for each in found if (each.branch, each.product, each.type) == wanted), None)
            if entry is not None:
                await asyncio.to_thread(self._remove, entry)
            return entry

    def has(self, entry: CatalogEntry, file: PackageFile) -> bool:
        """Whether this very file is checked in."""
        package = self.package(entry)
        return package is not None and any(
            (each.name, each.sha256) == (file.name, file.sha256) for each in package.files
        )

    def _check_in(self, package: PackageCatalog, payload: Sequence[Payload]) -> None:
        folder = self.root / package.entry.path
        for each in payload:
            verify_file(each.path, each.file)
        folder.mkdir(parents=True, exist_ok=True)
        for each in payload:
            each.path.replace(folder / each.file.name)
        for file in package.files:
            verify_file(folder / file.name, file)
        write_in_place(folder / content.PACKAGE_CATALOG, self._pack(content.write_package_catalog(package)))
        self._publish()
        self._remove_others(folder, package)

    def _remove(self, entry: CatalogEntry) -> None:
        """The catalogs forget the package before its files go."""
        folder = self.root / entry.path
        (folder / content.PACKAGE_CATALOG).unlink()
        self._publish()
        shutil.rmtree(folder)
        for above in folder.relative_to(self.root).parents[:-1]:
            if not any(each.name != content.REPLICA_LOG for each in (self.root / above).iterdir()):
                shutil.rmtree(self.root / above)
        write_logs(self.root, read_tree(self.root))

    def _publish(self) -> None:
        """Raise the catalog version and write the site's catalogs; the root's own files enter its Replica.log last."""
        self.root.mkdir(parents=True, exist_ok=True)
        version = max(self.version() + 1, int(self._now()))
        entries = tuple(package.entry for package in self.packages())
        write_logs(self.root, read_tree(self.root))
        write_in_place(self.root / content.CATALOG, self._pack(content.write_catalog(Catalog(version, entries))))
        write_in_place(self.root / content.SITE_STAT, content.write_site_stat(version).encode())
        write_logs(self.root, read_tree(self.root))

    def _remove_others(self, folder: Path, package: PackageCatalog) -> None:
        named = {content.PACKAGE_CATALOG, content.REPLICA_LOG, *(file.name for file in package.files)}
        strangers = [path for path in folder.iterdir() if path.name not in named and path.is_file()]
        for path in strangers:
            path.unlink()
        if strangers:
            write_logs(self.root, read_tree(self.root))

    def _read_log(self, folder: str, tree: dict[str, ReplicaLog]) -> None:
        path = self.root / folder / content.REPLICA_LOG
        tree[folder] = content.parse_replica_log(path.read_text(encoding="utf-8"))
        for name in tree[folder].folders:
            self._read_log(f"{folder}/{name}" if folder else name, tree)

    def _pack(self, xml: str) -> bytes:
        return content.pack(xml, lambda data: self._key.sign(data).signature)

    def _is_own(self, data: bytes, signature: bytes) -> bool:
        try:
            self._key.verify_key.verify(data, signature)
        except (BadSignatureError, ValueError):
            return False
        return True


def describe(path: Path, file: PackageFile) -> PackageFile:
    """The file's description with the size and the hash of what really lies there."""
    return replace(file, size=path.stat().st_size, sha256=hash_file(path))


def verify_file(path: Path, file: PackageFile) -> None:
    """Raise ContentError unless the file is there with its size and hash."""
    if not path.is_file():
        raise ContentError(f"{file.name} is missing")
    if path.stat().st_size != file.size or hash_file(path) != file.sha256:
        raise ContentError(f"{file.name} is not what its catalog says: another size or another SHA-256")


def write_in_place(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees all of the old one or all of the new one."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(data)
    fresh.replace(path)
