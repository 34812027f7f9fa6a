"""A connection is used again while it is young, however often it is used."""

from __future__ import annotations

from miniepo.wire.kept import Kept
from tests.unit.miniepo.standins import SetClock


def test_what_is_young_is_taken_last_one_first() -> None:
    kept = Kept[str](60.0, SetClock(100.0))
    kept.keep("a", 50.0)
    kept.keep("b", 99.0)
    assert kept.overdue() == []
    assert (kept.take(), kept.take(), kept.take()) == (("b", 99.0), ("a", 50.0), None)


def test_its_age_counts_from_its_opening_and_not_from_its_last_use() -> None:
    clock = SetClock(100.0)
    kept = Kept[str](60.0, clock)
    kept.keep("a", kept.now())
    for clock.at in (120.0, 140.0, 159.9):
        assert kept.overdue() == []
        taken = kept.take()
        assert taken == ("a", 100.0)
        kept.keep(*taken)
    clock.at = 160.0
    assert (kept.overdue(), kept.take()) == (["a"], None)


def test_all_are_given_back_once() -> None:
    kept = Kept[str](60.0, SetClock(100.0))
    kept.keep("a", 1.0)
    kept.keep("b", 99.0)
    assert (kept.all(), kept.all(), kept.take()) == (["a", "b"], [], None)
