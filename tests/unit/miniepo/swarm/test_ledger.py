"""What a swarm keeps on disk."""

import sqlite3
from pathlib import Path

import pytest

from miniepo.swarm.ledger import Ledger


def test_values_and_events_are_there_again_after_a_commit(tmp_path: Path) -> None:
    told: list[str] = []
    ledger = Ledger(tmp_path / "swarm.db", lambda: told.append("changed"))
    ledger.put("a", "guid", b"1")
    ledger.put("a", "guid", b"2")
    ledger.add_event("a", "k2", b"second")
    ledger.add_event("a", "k1", b"first")
    ledger.add_event("b", "k1", b"other")
    assert told == ["changed"]
    ledger.commit()
    ledger.forget_events("a", ["k2", "unknown"])
    assert told == ["changed", "changed"]
    ledger.close()
    again = Ledger(tmp_path / "swarm.db")
    assert again.values("a") == {"guid": b"2"} and again.values("b") == {}
    assert again.events("a") == {"k1": b"first"} and again.events("b") == {"k1": b"other"}
    again.close()


def test_events_keep_their_order_and_the_file_is_its_owners(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "swarm.db")
    for key in ("z", "y", "x"):
        ledger.add_event("a", key, key.encode())
    assert list(ledger.events("a")) == ["z", "y", "x"]
    assert (tmp_path / "swarm.db").stat().st_mode & 0o777 == 0o600
    ledger.close()


def test_what_was_not_committed_is_not_there(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "swarm.db")
    ledger.put("a", "guid", b"1")
    other = Ledger(tmp_path / "swarm.db")
    assert other.values("a") == {}
    ledger.commit()
    assert other.values("a") == {"guid": b"1"}
    ledger.close()
    other.close()


def test_a_file_that_is_full_for_a_while_is_an_os_error_and_loses_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "swarm.db")
    ledger.put("pc", "a", b"1")
    ledger.commit()
    with sqlite3.connect(tmp_path / "swarm.db") as other:
        (pages,) = other.execute("PRAGMA page_count").fetchone()
    ledger._file.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(OSError, match="full"):
        ledger.put("pc", "b", b"2" * 100_000)
    ledger._file.execute("PRAGMA max_page_count = 1000000")
    ledger.put("pc", "c", b"3")
    ledger.commit()
    assert ledger.values("pc") == {"a": b"1", "c": b"3"}
    ledger.close()
