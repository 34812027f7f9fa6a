"""The lock: readers together, a writer alone."""

from pathlib import Path

import pytest

from epolab.errors import LabBusyError
from epolab.hands.reader_lock import reader_lock


def test_readers_share_and_a_writer_waits(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    waited: list[float] = []
    with (
        reader_lock(path, alone=False, limit_seconds=1),
        reader_lock(path, alone=False, limit_seconds=1),
        pytest.raises(LabBusyError, match=r"by process \d+ .* after 0 s"),
        reader_lock(path, alone=True, limit_seconds=0.5, pause=waited.append),
    ):
        pass
    assert sum(waited) == pytest.approx(0.5)
    with reader_lock(path, alone=True, limit_seconds=1):
        pass
