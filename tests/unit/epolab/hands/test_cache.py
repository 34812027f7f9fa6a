"""A cache entry is whole or not there."""

from pathlib import Path

import pytest

from epolab.hands.cache import Cache


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    cache = Cache("things", tmp_path)
    calls = []

    def fill(folder: Path) -> None:
        calls.append(folder)
        (folder / "part").write_text("whole")

    assert cache.find("a") is None
    assert cache.make("a", fill) == cache.make("a", fill) == cache.find("a")
    assert len(calls) == 1
    assert (tmp_path / "things/a/part").read_text() == "whole"


def test_what_failed_half_way_is_not_there_and_begins_anew(tmp_path: Path) -> None:
    cache = Cache("things", tmp_path)

    def fail(folder: Path) -> None:
        (folder / "part").write_text("half")
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        cache.make("a", fail)
    assert cache.find("a") is None
    made = cache.make("a", lambda folder: (folder / "other").touch())
    assert [path.name for path in made.iterdir()] == ["other"]
