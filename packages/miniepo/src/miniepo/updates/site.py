"""The vendor's site on disk: a release is written file by file, its catalogs last, so that no visitor sees a half."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from miniepo.protocol.content import (
    CATALOG,
    DAT_DETECTION_SCRIPT,
    PACKAGE_CATALOG,
    SITE_STAT,
    Catalog,
    PackageCatalog,
    PackageFile,
    pack,
    parse_site_stat,
    write_catalog,
    write_package_catalog,
    write_site_stat,
)
from miniepo.repository.mirror import hash_file, read_tree, write_logs
from miniepo.updates.release import INDEX, Release, index, offered

SITE_PATH = "Products/CommonUpdater"


@dataclass(frozen=True, slots=True)
class VendorSite:
    """The site below `root`; `sign` makes the raw signature of a catalog."""

    root: Path
    sign: Callable[[bytes], bytes] | None

    @property
    def folder(self) -> Path:
        """What visitors see as `/Products/CommonUpdater/`."""
        return self.root / SITE_PATH

    def catalog_version(self) -> int:
        """The catalog version that is published; 0 before the first."""
        try:
            return parse_site_stat((self.folder / SITE_STAT).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return 0

    def publish(self, release: Release, *, full_set: bool) -> None:
        """Publish a release, its increments only or its full set too; whatever it does not offer is removed."""
        package = self.folder / release.entry.path
        package.mkdir(parents=True, exist_ok=True)
        increments = self._write_increments(package, release)
        _write(package / INDEX, index(release, increments).encode("ascii"))
        _write(package / DAT_DETECTION_SCRIPT, release.script())
        if full_set:
            _write(package / release.full_set_name, release.full_set())
        self._write_catalogs(release, package, _package_files(package, release, full_set=full_set))

    def _write_increments(self, package: Path, release: Release) -> dict[str, bytes]:
        increments = {each.increment_name: each.increment() for each in offered(release)}
        for name, data in increments.items():
            if not (package / name).exists():
                _write(package / name, data)
        return increments

    def _write_catalogs(self, release: Release, package: Path, files: tuple[PackageFile, ...]) -> None:
        described = PackageCatalog(release.entry, files, "Virus signatures")
        _write(package / PACKAGE_CATALOG, pack(write_package_catalog(described), self.sign))
        version = self.catalog_version() + 1
        _write(self.folder / CATALOG, pack(write_catalog(Catalog(version, (release.entry,))), self.sign))
        _write(self.folder / SITE_STAT, write_site_stat(version).encode())
        _remove_others(package, {PACKAGE_CATALOG, *(file.name for file in files)})
        write_logs(self.folder, read_tree(self.folder))


def _package_files(package: Path, release: Release, *, full_set: bool) -> tuple[PackageFile, ...]:
    steps = [
        PackageFile(
            *_size_and_hash(package / each.increment_name),
            "increment",
            f"{each.dat - 1}.0000",
            each.version,
        )
        for each in offered(release)
    ]
    described = [
        *steps,
        PackageFile(*_size_and_hash(package / INDEX), "index"),
        PackageFile(*_size_and_hash(package / DAT_DETECTION_SCRIPT), "script"),
    ]
    if full_set:
        described.append(PackageFile(*_size_and_hash(package / release.full_set_name), "full"))
    return tuple(described)


def _size_and_hash(path: Path) -> tuple[str, int, str]:
    return (path.name, path.stat().st_size, hash_file(path))


def _remove_others(package: Path, wanted: set[str]) -> None:
    for path in package.iterdir():
        if path.name not in wanted:
            path.unlink()


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(data)
    fresh.replace(path)
