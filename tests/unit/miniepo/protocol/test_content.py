"""The files that make a repository are read as they were written, and what is damaged is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey

from miniepo.errors import ContentError
from miniepo.protocol import content
from miniepo.protocol.content import Catalog, CatalogEntry, PackageCatalog, PackageFile, ReplicaFile, ReplicaLog

KEY = SigningKey(b"1" * 32)
ENTRY = CatalogEntry("Current", "VSCANDAT1000", "DAT", "0000", "10002.0000")


def sign(data: bytes) -> bytes:
    return KEY.sign(data).signature


def is_signed(data: bytes, signature: bytes) -> bool:
    try:
        KEY.verify_key.verify(data, signature)
    except (BadSignatureError, ValueError):
        return False
    return True


def test_a_signed_catalog_is_read_back() -> None:
    catalog = Catalog(7, (ENTRY,))
    data = content.pack(content.write_catalog(catalog), sign)
    assert content.parse_catalog(content.unpack(data, is_signed)) == catalog
    assert ENTRY.path == "Current/VSCANDAT1000/DAT/0000"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04",
        content.pack("<a/>", None),
        content.pack("<a/>", lambda data: b"0" * 64),
        content.pack("<a/>", sign)[:-4] + b"0000",
    ],
)
def test_an_unsigned_or_damaged_file_is_refused(data: bytes) -> None:
    with pytest.raises(ContentError):
        content.unpack(data, is_signed)


def test_an_unsigned_file_is_read_where_no_key_is_known() -> None:
    assert content.unpack(content.pack("<a/>", None), None) == "<a/>"
    with pytest.raises(ContentError):
        content.unpack(content.pack("<a/>", None)[:-3], None)


def package() -> PackageCatalog:
    step = {"role": "increment"}
    return PackageCatalog(
        ENTRY,
        (
            PackageFile("1.gem", 1, "aa", from_version="10000.0000", to_version="10001.0000", **step),  # type: ignore[arg-type]
            PackageFile("2.gem", 2, "bb", from_version="10001.0000", to_version="10002.0000", **step),  # type: ignore[arg-type]
            PackageFile("avvdat-10002.zip", 9, "cc", "full"),
        ),
        "Signatures",
    )


def test_a_package_is_read_back() -> None:
    assert content.parse_package_catalog(content.write_package_catalog(package())) == package()


def test_increments_lead_from_an_installed_version() -> None:
    names = [file.name for file in package().increments_from("10000.0000") or ()]
    assert names == ["1.gem", "2.gem"]
    assert package().increments_from("10002.0000") == ()
    assert package().increments_from("9000.0000") is None


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "c:", "a\nb", "x" * 201])
def test_unsafe_names_are_refused_everywhere(name: str) -> None:
    assert not content.is_plain_name(name)
    with pytest.raises(ContentError):
        content.parse_package_catalog(
            content.write_package_catalog(PackageCatalog(ENTRY, (PackageFile(name, 1, "a"),)))
        )


def test_the_site_status_publishes_the_catalog_version() -> None:
    assert content.parse_site_stat(content.write_site_stat(42)) == 42
    with pytest.raises(ContentError):
        content.parse_site_stat("<SiteStatus/>")


@given(
    st.lists(
        st.builds(
            ReplicaFile,
            st.text("abc .-_0", min_size=1, max_size=8).filter(content.is_plain_name),
            st.integers(0, 2**40),
            st.just("ff"),
        ),
        unique_by=lambda file: file.name,
    )
)
def test_a_replica_log_is_read_back(files: list[ReplicaFile]) -> None:
    written = content.write_replica_log(files, ["Current"])
    assert content.parse_replica_log(written) == ReplicaLog(
        tuple(sorted(files, key=lambda file: file.name)), ("Current",)
    )


@pytest.mark.parametrize("line", ["file 1 ff", "file x ff name", "file 1 ff ../x", "folder a/b", "link x"])
def test_a_damaged_replica_log_is_refused(line: str) -> None:
    with pytest.raises(ContentError):
        content.parse_replica_log(line)
