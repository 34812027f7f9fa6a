"""The site on disk: what is published is described, signed, and nothing else lies there."""

from pathlib import Path

from nacl.signing import SigningKey

from miniepo.protocol.content import parse_catalog, parse_package_catalog, parse_replica_log, parse_site_stat, unpack
from miniepo.repository.mirror import hash_file
from miniepo.updates.release import Release
from miniepo.updates.site import VendorSite

KEY = SigningKey(bytes(32))


def believed(data: bytes, signature: bytes) -> bool:
    return bool(KEY.verify_key.verify(data, signature))


def site_of(root: Path) -> VendorSite:
    return VendorSite(root, lambda data: KEY.sign(data).signature)


def test_a_release_is_described_by_signed_catalogs_and_replica_logs(tmp_path: Path) -> None:
    site, release = site_of(tmp_path), Release(2, "seed", 100, 5000)
    site.publish(release, full_set=True)
    catalog = parse_catalog(unpack((site.folder / "catalog.z").read_bytes(), believed))
    assert catalog.entries == (release.entry,)
    folder = site.folder / release.entry.path
    package = parse_package_catalog(unpack((folder / "PkgCatalog.z").read_bytes(), believed))
    assert [step.to_version for step in package.increments_from("10000.0000") or ()] == ["10001.0000", "10002.0000"]
    assert {file.name: file.sha256 for file in package.files} == {
        file.name: hash_file(folder / file.name) for file in package.files
    }
    listed = parse_replica_log((folder / "Replica.log").read_text())
    assert {file.name for file in listed.files} == {path.name for path in folder.iterdir()} - {"Replica.log"}


def test_the_catalog_version_rises_and_the_old_full_set_goes(tmp_path: Path) -> None:
    site = site_of(tmp_path)
    site.publish(Release(1, "seed", 100, 5000), full_set=True)
    site.publish(Release(2, "seed", 100, 5000), full_set=False)
    assert parse_site_stat((site.folder / "SiteStat.xml").read_text()) == 2
    names = {path.name for path in (site.folder / "Current/VSCANDAT1000/DAT/0000").iterdir()}
    assert "avvdat-10001.zip" not in names
    assert {"1000010001avv.gem", "1000110002avv.gem"} <= names
