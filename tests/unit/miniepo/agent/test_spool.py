"""Events wait on disk until they are acknowledged."""

from pathlib import Path

import msgspec
import pytest

from miniepo.agent.spool import Spool
from miniepo.errors import MessageError
from miniepo.protocol.messages import Event


def event(key: str, severity: int = 4) -> Event:
    return Event(key=key, kind="threat", event_id=1, severity=severity, detected=1.0, text="ü")


def keys(spool: Spool, count: int = 1000) -> list[str]:
    return [each.key for each in spool.oldest(count)]


def test_events_come_back_in_order_also_in_the_next_life(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "events")
    for key in ("b", "a", "c"):
        spool.add(event(key))
    assert keys(spool, 2) == ["b", "a"]
    again = Spool(tmp_path / "events")
    again.add(event("d"))
    assert keys(again) == ["b", "a", "c", "d"]
    assert again.oldest(1)[0] == event("b")


def test_urgent_events_are_those_of_the_severity_or_graver(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "events")
    for key, severity in (("a", 5), ("b", 2), ("c", 0), ("d", 3), ("e", 1)):
        spool.add(event(key, severity))
    assert [each.key for each in spool.urgent(10, 2)] == ["b", "c", "e"]
    assert [each.key for each in spool.urgent(1, 2)] == ["b"]
    assert len(spool) == 5


def test_only_what_is_acknowledged_goes(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "events")
    for key in ("a", "b-b", "c"):
        spool.add(event(key))
    spool.forget(["b-b", "of someone else"])
    assert keys(spool) == ["a", "c"] and len(spool) == 2


def test_an_event_that_no_handler_would_be_sent_is_refused(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "events")
    with pytest.raises(MessageError, match="an event of"):
        spool.add(msgspec.structs.replace(event("a"), text="x" * 65536))
    spool.add(event("b"))
    assert keys(spool) == ["b"]


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "events")
    spool.add(event("a"))
    (tmp_path / "events/000000000002-b.json").write_text("{")
    assert keys(spool) == ["a"]
    assert len(list((tmp_path / "events").glob("*.damaged"))) == 1


def test_an_unfinished_file_is_cleared_away(tmp_path: Path) -> None:
    Spool(tmp_path / "events")
    (tmp_path / "events/.000000000001-a.json.new").write_text('{"key"')
    assert keys(Spool(tmp_path / "events")) == []
    assert list((tmp_path / "events").iterdir()) == []


def test_beyond_its_capacity_the_oldest_are_lost(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "events", capacity=40)
    for number in range(100):
        spool.add(event(f"e{number}"))
    assert keys(spool) == [f"e{number}" for number in range(60, 100)]
