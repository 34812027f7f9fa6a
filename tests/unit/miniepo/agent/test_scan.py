"""What the scan task reads and tells."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from miniepo.agent.scan import percent, scan, shown
from miniepo.errors import TaskError
from miniepo.protocol.task_settings import ScanTask


def test_every_file_counts_and_progress_ends_at_the_whole(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for number in range(4):
        (tmp_path / "deep" / f"{number}.bin").write_bytes(bytes(250))
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "0.bin")
    told: list[tuple[int, str]] = []
    text = asyncio.run(scan(ScanTask(str(tmp_path)), lambda share, path: told.append((share, path))))
    assert text == f"{tmp_path}: 4 files, 1000 bytes, 0 not readable, nothing found"
    assert [share for share, _ in told] == [25, 50, 75, 100]
    assert told[0][1] == str(tmp_path / "deep" / "0.bin")


def test_a_folder_that_is_not_there_fails_the_task(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="there is no folder"):
        asyncio.run(scan(ScanTask(str(tmp_path / "nowhere")), lambda share, path: None))


def test_an_empty_folder_is_scanned_at_once(tmp_path: Path) -> None:
    assert asyncio.run(scan(ScanTask(str(tmp_path)), lambda share, path: None)).startswith(f"{tmp_path}: 0 files")
    assert percent(0, 0) == 100 and percent(999, 1000) == 99


def test_a_name_that_is_no_utf_8_is_told_as_text_that_can_be_sent(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_bytes(b"text")
    (tmp_path / "caf\u00e9.txt").write_bytes(b"text")
    told: list[str] = []
    text = asyncio.run(scan(ScanTask(str(tmp_path)), lambda share, path: told.append(path)))
    assert text == f"{tmp_path}: 2 files, 8 bytes, 0 not readable, nothing found"
    assert sorted(told) == [f"{tmp_path}/caf\\xe9.txt", f"{tmp_path}/caf\u00e9.txt"]
    assert shown(Path("/plain")) == "/plain"
