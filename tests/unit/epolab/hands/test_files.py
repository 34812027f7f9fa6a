"""The lab's folder: documents whole or not at all, locks that name their holder, removal that survives a kill."""

import errno
import os
from pathlib import Path

import pytest

from epolab.errors import HomeUnusableError, LabBusyError
from epolab.hands.files import LabFolder, cache_home, epolab_home, write_private


@pytest.fixture(name="folder")
def folder_fixture(tmp_path, monkeypatch):
    monkeypatch.setenv("EPOLAB_HOME", str(tmp_path / "home"))
    return LabFolder.of("lab").make()


def test_it_lies_in_the_named_home_for_its_owner_alone(folder, tmp_path):
    assert folder.path == tmp_path / "home/labs/lab"
    assert folder.name == "lab"
    assert folder.path.stat().st_mode & 0o777 == 0o700
    assert LabFolder.all() == [folder]


def test_homes_have_defaults(monkeypatch, tmp_path):
    monkeypatch.delenv("EPOLAB_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert epolab_home() == tmp_path / ".local/share/epolab"
    assert cache_home() == tmp_path / ".cache/epolab"


def test_documents(folder):
    assert folder.read_json("a.json") is None
    folder.write_json("a.json", {"x": 1})
    assert folder.read_json("a.json") == {"x": 1}
    (folder.path / "a.json").write_text("{half")
    assert folder.read_json("a.json") is None


def test_a_private_file_is_written_whole_and_leaves_no_other(folder):
    path = folder.path / "deep/secret"
    write_private(path, b"one")
    write_private(path, b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == ["secret"]  # noqa: PTH208


def test_a_lock_is_held_once_and_names_its_holder(folder):
    with folder.lock("lab", purpose="up lab"):
        assert folder.is_locked("lab")
        with pytest.raises(LabBusyError, match=rf"process {os.getpid()} \(up lab, since"), folder.lock("lab"):
            raise AssertionError("held twice")
    assert not folder.is_locked("lab")
    with folder.lock("lab"):
        pass


def test_who_waits_is_told_once(folder):
    told = []
    with (
        folder.lock("lab", purpose="up"),
        pytest.raises(LabBusyError),
        folder.lock("lab", wait_seconds=0.3, on_wait=told.append),
    ):
        raise AssertionError("held twice")
    assert len(told) == 1


def test_a_lock_that_was_never_taken_is_free(folder):
    assert not folder.is_locked("lab")
    assert not (folder.path / "locks").exists()


def test_removal_leaves_nothing_above_it_either(folder, tmp_path):
    with folder.lock("lab"):
        folder.remove()
    assert not (tmp_path / "home").exists()


def test_removal_takes_what_a_killed_one_left_but_no_other_lab(folder):
    other = LabFolder.of("other").make()
    (folder.path.parent / ".lab.removing.1").mkdir()
    assert LabFolder.all() == [folder, other]
    folder.remove()
    assert list(folder.path.parent.iterdir()) == [other.path]


def test_a_lock_of_a_removed_folder_is_not_the_lock_of_a_new_one(folder):
    with folder.lock("lab"):
        folder.remove()
        fresh = folder.make()
        with fresh.lock("lab"):
            assert Path(fresh.path / "locks/lab").exists()


def test_what_a_killed_program_left_in_the_scratch_folder_goes_with_the_lab(folder):
    (folder.make_scratch() / "left.sock").touch()
    assert folder.scratch.stat().st_mode & 0o777 == 0o700
    assert LabFolder.of("lab").scratch == folder.scratch
    assert len(str(folder.scratch / "mitogen_unix_12345678.sock")) < 100
    folder.remove()
    assert not folder.scratch.exists()


@pytest.mark.parametrize("act", [LabFolder.make, lambda folder: folder.lock("lab").__enter__()])
def test_a_home_that_cannot_be_used_is_named_with_another_way(tmp_path, monkeypatch, act):
    (tmp_path / "home").write_text("a file, not a folder")
    monkeypatch.setenv("EPOLAB_HOME", str(tmp_path / "home"))
    with pytest.raises(HomeUnusableError, match=r"home.*: Not a directory") as refused:
        act(LabFolder.of("lab"))
    assert refused.value.exit_code == 3
    assert "EPOLAB_HOME" in refused.value.hint


def test_a_full_disk_keeps_nobody_from_a_lock(folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with folder.lock("lab"), pytest.raises(LabBusyError, match="held by another process"), folder.lock("lab"):
        raise AssertionError("held twice")
