"""How events become rows."""

import json
import re
from typing import Any

import pytest

from miniepo.protocol.messages import Event
from miniepo.store import event_rows, queries
from miniepo.store.event_rows import ABSENT, Delivered


def event(**more: Any) -> Event:
    given: dict[str, Any] = {"key": "k", "kind": "threat", "event_id": 1092, "severity": 3, "detected": 1.7e9}
    return Event(**(given | more))


def delivered(*events: Event) -> Delivered:
    return Delivered("hq/epo", "GUID", 7, events)


def columns(query: str) -> list[str]:
    inside = re.search(r"\((.*)\) FROM", queries.query(query), re.DOTALL)
    assert inside is not None
    return [name.strip() for name in inside[1].split(",")]


@pytest.mark.parametrize(
    ("query", "line"),
    [("event/copy_threats", event_rows.threat_line), ("event/copy_products", event_rows.product_line)],
)
def test_a_line_has_a_cell_for_every_column_in_their_order(query: str, line: Any) -> None:
    fields = {name: f"the {name}" for name in (*event_rows.THREAT_FIELDS, *event_rows.PRODUCT_FIELDS)}
    cells = line(delivered(), event(fields=fields, text="said")).split("\t")
    found = dict(zip(columns(query), cells, strict=True))
    known = set(event_rows.THREAT_FIELDS if "threats" in query else event_rows.PRODUCT_FIELDS)
    assert {name: value for name, value in found.items() if name in known} == {name: fields[name] for name in known}
    assert (found["AgentGUID"], found["EventKey"], found["EventText"]) == ("GUID", "k", "said")
    assert found["DetectedUTC"] == "2023-11-14T22:13:20+00:00"


def test_what_is_not_there_is_null_and_what_copy_would_misread_is_escaped() -> None:
    line = event_rows.threat_line(delivered(), event(text="a\tb\nc\\d\re\0f", fields={"ThreatName": "\\N"}))
    cells = dict(zip(columns("event/copy_threats"), line.split("\t"), strict=True))
    assert cells["EventText"] == "a\\tb\\nc\\\\d\\ref" and "\n" not in line
    assert cells["ThreatName"] == "\\\\N" and cells["Analyzer"] == ABSENT


@pytest.mark.parametrize(
    ("text", "cell", "value"), [("1", "t", True), (" True ", "t", True), ("no", "f", False), ("banana", ABSENT, None)]
)
def test_whether_a_threat_was_handled(text: str, cell: str, value: bool | None) -> None:
    one = event(fields={"ThreatHandled": text})
    cells = dict(zip(columns("event/copy_threats"), event_rows.threat_line(delivered(), one).split("\t"), strict=True))
    assert cells["ThreatHandled"] == cell
    assert event_rows.threat_record(delivered(), one)["ThreatHandled"] is value


def test_numbers_and_times_that_no_column_holds_become_the_nearest_that_one_does() -> None:
    odd = event(event_id=2**70, severity=-(2**70), detected=1e300)
    cells = event_rows.product_line(delivered(), odd).split("\t")
    assert (cells[0], cells[5], cells[6]) == ("9999-12-31T23:59:59+00:00", str(2**31 - 1), str(-(2**31) + 1))
    record = event_rows.product_record(delivered(), odd)
    assert (record["event_id"], record["detected"]) == (2**31 - 1, 253_402_300_799.0)


def test_a_parameter_is_json_without_the_character_that_text_cannot_hold() -> None:
    record = event_rows.threat_record(delivered(), event(text="a\0b \\u0000", fields={"ThreatName": "x", "Odd": "y"}))
    (read,) = json.loads(event_rows.as_parameter([record]))
    assert (read["text"], read["ThreatName"], "Odd" in read) == ("ab \\u0000", "x", False)


def test_common_and_rare_letters_come_out_the_same_way() -> None:
    plain = event_rows.threat_line(delivered(), event(text="C:\\x"))
    rare = event_rows.threat_line(delivered(), event(text="C:\\x", fields={"ThreatName": "a\tb"}))
    cells = [line.split("\t") for line in (plain, rare)]
    assert cells[0][5] == cells[1][5] == "C:\\\\x" and len(cells[0]) == len(cells[1])


def test_a_value_that_looks_like_an_absent_one_is_not_taken_for_it() -> None:
    line = event_rows.threat_line(delivered(), event(text=ABSENT, fields={"ThreatName": f"x{ABSENT}"}))
    cells = dict(zip(columns("event/copy_threats"), line.split("\t"), strict=True))
    assert cells["ThreatName"] == "x" and cells["Analyzer"] == ABSENT
