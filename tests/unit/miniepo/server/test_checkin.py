"""Uploads become packages, or a sentence on what is wrong with them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from miniepo.errors import CommandError
from miniepo.server.checkin import PackageRequest, Upload, prepare

REQUEST = PackageRequest(product="PROBE", type="Install", version="1", name="Probe")
DESCRIPTION = (
    '<PkgCatalog ProductID="PROBE" Type="DAT" Version="7">'
    '<File Name="a.gem" Role="increment" From="6" To="7"/></PkgCatalog>'
)


def zipped(**files: bytes) -> Upload:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return Upload("package.zip", data.getvalue())


def test_raw_files_with_words(tmp_path: Path) -> None:
    package, payload = prepare(tmp_path, [Upload("a.bin", b"aa"), Upload("b.bin", b"b")], REQUEST)
    assert package.entry.path == "Current/PROBE/Install/0000"
    assert [(file.name, file.size) for file in package.files] == [("a.bin", 2), ("b.bin", 1)]
    assert [each.path.read_bytes() for each in payload] == [b"aa", b"b"]


def test_an_archive_without_a_description_is_payload(tmp_path: Path) -> None:
    package, _ = prepare(tmp_path, [zipped(a_bin=b"aa", b_bin=b"b")], REQUEST)
    assert [file.name for file in package.files] == ["a.bin", "b.bin"]


def test_an_archive_that_describes_itself(tmp_path: Path) -> None:
    upload = zipped(PkgCatalog_xml=DESCRIPTION.encode(), a_gem=b"data")
    package, _ = prepare(tmp_path, [upload], PackageRequest(branch="Evaluation"))
    assert package.entry.path == "Evaluation/PROBE/DAT/0000" and package.entry.version == "7"
    assert (package.files[0].role, package.files[0].from_version, package.files[0].size) == ("increment", "6", 4)


@pytest.mark.parametrize(
    ("uploads", "request_", "message"),
    [
        ([Upload("a.bin", b"a")], PackageRequest(product="P"), "packageType, version"),
        ([Upload("a.bin", b"a")], PackageRequest(branch="Nightly"), "there is no branch 'Nightly'"),
        ([], REQUEST, "lacks any file"),
        ([Upload("Replica.log", b"a")], REQUEST, "no name for a file"),
        ([Upload("x.zip", b"PK\x03\x04broken")], REQUEST, "not a zip archive"),
        ([zipped(PkgCatalog_xml=b"<PkgCatalog", a_gem=b"")], REQUEST, "is not XML"),
        ([zipped(PkgCatalog_xml=DESCRIPTION.encode())], REQUEST, "lacks a.gem"),
        ([zipped(PkgCatalog_xml=DESCRIPTION.replace("From", 'Sha256="ff" From').encode(), a_gem=b"x")], REQUEST, "SHA"),
        ([zipped(PkgCatalog_xml=b"<Other/>")], REQUEST, "PkgCatalog"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, uploads: list[Upload], request_: PackageRequest, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        prepare(tmp_path, uploads, request_)


def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("../outside", b"x")
    with pytest.raises(CommandError, match="no name"):
        prepare(tmp_path, [Upload("p.zip", data.getvalue())], REQUEST)
