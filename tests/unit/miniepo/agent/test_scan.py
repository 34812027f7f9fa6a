"""What the scan task reads and tells."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from miniepo.agent.scan import ScanSettings, percent, read_settings, scan
from miniepo.errors import TaskError


def test_every_file_counts_and_progress_ends_at_the_whole(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for number in range(4):
        (tmp_path / "deep" / f"{number}.bin").write_bytes(bytes(250))
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "0.bin")
    told: list[tuple[int, str]] = []
    text = asyncio.run(scan(ScanSettings(str(tmp_path)), lambda share, path: told.append((share, path))))
    assert text == f"{tmp_path}: 4 files, 1000 bytes, 0 not readable, nothing found"
    assert [share for share, _ in told] == [25, 50, 75, 100]
    assert told[0][1] == str(tmp_path / "deep" / "0.bin")


def test_a_folder_that_is_not_there_fails_the_task(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="there is no folder"):
        asyncio.run(scan(ScanSettings(str(tmp_path / "nowhere")), lambda share, path: None))


def test_an_empty_folder_is_scanned_at_once(tmp_path: Path) -> None:
    assert asyncio.run(scan(ScanSettings(str(tmp_path)), lambda share, path: None)).startswith(f"{tmp_path}: 0 files")
    assert percent(0, 0) == 100 and percent(999, 1000) == 99


def test_settings_have_defaults_and_are_read_strictly() -> None:
    assert read_settings({}) == ScanSettings("/etc", 0)
    with pytest.raises(TaskError):
        read_settings({"seconds": "long"})
