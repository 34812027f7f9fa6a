"""Archives depend on the files' content alone."""

import io
import os
import tarfile
from pathlib import Path

from epolab.images.content import EPOCH, archive, read_tree


def members(data: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: member for member in tar.getmembers()}


def test_files_links_and_modes_arrive_owned_by_root(tmp_path: Path) -> None:
    (tmp_path / "etc/service").mkdir(parents=True)
    (tmp_path / "etc/service/run").write_text("#!/bin/sh")
    (tmp_path / "etc/service/run").chmod(0o700)
    (tmp_path / "etc/motd").write_text("hello")
    (tmp_path / "etc/state").symlink_to("/run/state")
    found = members(archive(read_tree(tmp_path)))
    assert list(found) == ["etc", "etc/motd", "etc/service", "etc/service/run", "etc/state"]
    assert [oct(found[name].mode) for name in ("etc/motd", "etc/service/run")] == ["0o644", "0o755"]
    assert found["etc/state"].linkname == "/run/state"
    assert {(member.uid, member.gid, member.mtime) for member in found.values()} == {(0, 0, EPOCH)}


def test_the_same_files_give_the_same_bytes_whenever_they_were_written(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("same")
    os.utime(tmp_path / "two/file", (1, 1))
    assert archive(read_tree(tmp_path / "one", "/opt")) == archive(read_tree(tmp_path / "two", "/opt"))


def test_a_tree_goes_where_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.py").write_text("")
    (tmp_path / "sub/__pycache__").mkdir()
    (tmp_path / "sub/__pycache__/a.pyc").write_bytes(b"x")
    assert [entry.path for entry in read_tree(tmp_path, "/usr/lib/code")] == ["usr/lib/code/sub/a.py"]


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_tree(tmp_path / "files") == ()
