"""A check-in makes a repository that can be read and mirrored; what is not as promised does not come in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from miniepo.errors import ContentError
from miniepo.protocol import content
from miniepo.protocol.content import CatalogEntry, PackageCatalog, PackageFile
from miniepo.repository.mirror import read_tree
from miniepo.server.master import MasterRepository, Payload, describe

ENTRY = CatalogEntry("Current", "PROBE", "Install", "0000", "1")


@pytest.fixture
def master(tmp_path: Path) -> MasterRepository:
    made = MasterRepository(tmp_path / "repository", SigningKey(b"1" * 32), lambda: 1000.0)
    asyncio.run(made.prepare())
    return made


def payload(master: MasterRepository, name: str, data: bytes) -> Payload:
    path = master.incoming / f"{name}.part"
    path.write_bytes(data)
    return Payload(describe(path, PackageFile(name, 0, "")), path)


def package(*payloads: Payload, version: str = "1") -> PackageCatalog:
    return PackageCatalog(replace(ENTRY, version=version), tuple(each.file for each in payloads), "Probe")


def test_an_empty_repository_can_be_mirrored_and_stays_as_it_is(master: MasterRepository) -> None:
    assert master.version() == 1000
    assert {file.name for file in master.tree()[""].files} == {"SiteStat.xml", "catalog.z"}
    asyncio.run(master.prepare())
    assert master.version() == 1000


def test_a_package_comes_in_with_its_catalogs(master: MasterRepository) -> None:
    one = payload(master, "a.bin", b"hello")
    assert asyncio.run(master.check_in(package(one), [one])) is True
    assert (master.root / ENTRY.path / "a.bin").read_bytes() == b"hello"
    assert list(master.packages()) == [package(one)]
    assert master.version() == 1001
    catalog = content.parse_catalog(content.unpack((master.root / "catalog.z").read_bytes(), None))
    assert catalog == content.Catalog(1001, (ENTRY,))
    assert master.tree() == read_tree(master.root)
    assert asyncio.run(master.check_in(package(one), [])) is False
    assert master.version() == 1001


def test_a_new_version_takes_the_place_of_the_old(master: MasterRepository) -> None:
    one, two = payload(master, "a.bin", b"hello"), payload(master, "b.bin", b"world")
    asyncio.run(master.check_in(package(one), [one]))
    asyncio.run(master.check_in(package(two, version="2"), [two]))
    assert {path.name for path in (master.root / ENTRY.path).iterdir()} == {"b.bin", "PkgCatalog.z", "Replica.log"}
    assert master.tree() == read_tree(master.root)
    assert master.has(ENTRY, two.file) and not master.has(ENTRY, one.file)


def test_a_file_that_is_not_what_was_promised_does_not_come_in(master: MasterRepository) -> None:
    one = payload(master, "a.bin", b"hello")
    one.path.write_bytes(b"hullo")
    with pytest.raises(ContentError):
        asyncio.run(master.check_in(package(one), [one]))
    assert master.version() == 1000 and list(master.packages()) == []


def test_a_missing_file_stops_the_check_in(master: MasterRepository) -> None:
    one = payload(master, "a.bin", b"hello")
    with pytest.raises(ContentError, match="missing"):
        asyncio.run(master.check_in(package(one), []))


def test_a_package_goes_out_with_its_folders_and_the_catalog_says_so(master: MasterRepository) -> None:
    one = payload(master, "a.bin", b"hello")
    asyncio.run(master.check_in(package(one), [one]))
    assert asyncio.run(master.remove("Current", "PROBE", "Install")) == ENTRY
    assert not (master.root / "Current").exists()
    assert master.version() == 1002
    assert master.tree() == read_tree(master.root)
    assert asyncio.run(master.remove("Current", "PROBE", "Install")) is None
