"""Values by name outlive the process, whatever it was about when it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from miniepo.agent.folder import Directory


def test_values_are_put_read_renamed_and_removed(tmp_path: Path) -> None:
    folder = Directory(tmp_path / "below")
    folder.put("b", b"2")
    folder.put("a", b"1")
    folder.put("a", b"one")
    assert folder.names() == ["a", "b"] and folder.read("a") == b"one"
    folder.rename("a", "c")
    folder.remove("b")
    folder.remove("b")
    assert Directory(tmp_path / "below").names() == ["c"]
    with pytest.raises(FileNotFoundError):
        folder.read("a")


def test_what_was_half_written_is_gone_and_folders_below_are_no_values(tmp_path: Path) -> None:
    (tmp_path / ".a.new").write_bytes(b"half")
    Directory(tmp_path / "below")
    assert Directory(tmp_path).names() == []
    assert not (tmp_path / ".a.new").exists()


def test_nobody_else_reads_a_value(tmp_path: Path) -> None:
    Directory(tmp_path / "below").put("a", b"1")
    assert (tmp_path / "below").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "below/a").stat().st_mode & 0o777 == 0o600
