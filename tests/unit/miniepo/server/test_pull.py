"""What a pull wants of a package, and what it must fetch for it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from miniepo.protocol.content import CatalogEntry, PackageCatalog, PackageFile
from miniepo.server.master import MasterRepository, Payload, describe
from miniepo.server.pull import missing, wanted

ENTRY = CatalogEntry("Current", "VSCANDAT1000", "DAT", "0000", "10001.0000")


@pytest.fixture
def master(tmp_path: Path) -> MasterRepository:
    return MasterRepository(tmp_path / "repository", SigningKey(b"1" * 32), lambda: 1000.0)


def offered() -> PackageCatalog:
    files = (
        PackageFile("avvdat-10001.zip", 70, "f", "full"),
        PackageFile("1000010001avv.gem", 2, "i", "increment", "10000.0000", "10001.0000"),
        PackageFile("V2datdet.mcs", 1, "s", "script"),
    )
    return PackageCatalog(ENTRY, files)


def names(package: PackageCatalog) -> list[str]:
    return [file.name for file in package.files]


def test_full_sets_are_left_for_their_own_task(master: MasterRepository) -> None:
    assert names(wanted(master, offered(), full_sets=False)) == ["1000010001avv.gem", "V2datdet.mcs"]
    assert len(wanted(master, offered(), full_sets=True).files) == 3


def test_the_smallest_file_comes_first(master: MasterRepository) -> None:
    assert [file.size for file in missing(master, offered())] == [1, 2, 70]


def test_what_is_here_is_kept_and_not_fetched_again(master: MasterRepository) -> None:
    path = master.incoming / "part"
    path.write_bytes(b"full set")
    full = describe(path, PackageFile("avvdat-10001.zip", 0, "", "full"))
    asyncio.run(master.check_in(PackageCatalog(ENTRY, (full,)), [Payload(full, path)]))
    again = PackageCatalog(ENTRY, (full, *offered().files[1:]))
    assert names(wanted(master, again, full_sets=False)) == names(again)
    assert [file.name for file in missing(master, again)] == ["V2datdet.mcs", "1000010001avv.gem"]
