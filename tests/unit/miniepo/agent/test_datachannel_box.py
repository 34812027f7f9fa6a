"""Messages survive the agent's end in their order; ids are remembered until they can come no more."""

from __future__ import annotations

from pathlib import Path

from miniepo.agent.datachannel_box import REMEMBER_SECONDS, Box, SeenIds
from miniepo.agent.folder import Directory
from miniepo.protocol.datachannel import ChannelMessage


def message(id: str, expires: float = 100.0) -> ChannelMessage:
    return ChannelMessage(id=id, product="P", kind="k", payload={"id": id}, expires=expires)


def test_messages_come_back_in_order_after_a_restart(tmp_path: Path) -> None:
    box = Box(Directory(tmp_path / "outbox"))
    ids = ["b/1", "a 2", "../../etc/passwd", "4"]
    for id in ids:
        box.add(message(id))
    again = Box(Directory(tmp_path / "outbox"))
    assert [each.id for each in again.oldest()] == ids and len(again) == 4
    assert [each.id for each in again.oldest(2)] == ids[:2]
    assert {path.parent for path in tmp_path.rglob("*.json")} == {tmp_path / "outbox"}


def test_one_message_is_there_once(tmp_path: Path) -> None:
    box = Box(Directory(tmp_path))
    box.add(message("1"))
    box.begin("1")
    box.add(message("1"))
    assert len(box) == 0 and [each.id for each in box.begun()] == ["1"]


def test_what_was_begun_is_told_apart_after_a_restart(tmp_path: Path) -> None:
    box = Box(Directory(tmp_path))
    box.add(message("1"))
    box.add(message("2"))
    box.begin("1")
    again = Box(Directory(tmp_path))
    assert [each.id for each in again.begun()] == ["1"] and [each.id for each in again.oldest()] == ["2"]
    again.forget(["1", "2", "3"])
    assert again.begun() == () and again.oldest() == ()


def test_a_new_message_comes_behind_what_was_begun(tmp_path: Path) -> None:
    box = Box(Directory(tmp_path))
    box.add(message("1"))
    box.begin("1")
    Box(Directory(tmp_path)).add(message("2"))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names[0].startswith("000000000001-") and names[1].startswith("000000000002-")


def test_a_damaged_file_is_set_aside(tmp_path: Path) -> None:
    box = Box(Directory(tmp_path))
    box.add(message("1"))
    next(tmp_path.glob("*.json")).write_text("{")
    box.add(message("2"))
    (tmp_path / ".0001-x.json.new").write_text("half")
    again = Box(Directory(tmp_path))
    assert [each.id for each in again.oldest()] == ["2"]
    assert len(list(tmp_path.glob("*.damaged"))) == 1 and not list(tmp_path.glob(".*"))


def test_ids_are_remembered_beyond_their_expiry_and_a_restart(tmp_path: Path) -> None:
    seen = SeenIds(Directory(tmp_path), "seen.json")
    seen.add([message("1", expires=100)], now=50)
    again = SeenIds(Directory(tmp_path), "seen.json")
    assert "1" in again and "2" not in again
    again.add([message("2", expires=100 + REMEMBER_SECONDS)], now=100 + REMEMBER_SECONDS)
    assert "1" not in SeenIds(Directory(tmp_path), "seen.json") and "2" in again


def test_a_damaged_memory_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "seen.json").write_text("[")
    seen = SeenIds(Directory(tmp_path), "seen.json")
    assert "1" not in seen
    seen.add([message("1")], now=0)
    assert "1" in SeenIds(Directory(tmp_path), "seen.json")
