# ruff: noqa: RUF009 (the calls describe keys; what they return is frozen)
from dataclasses import dataclass
from typing import Any

import pytest

from epolab.topology.compounds import Many, Record, Table, key, keys_of
from epolab.topology.report import Located, Report
from epolab.topology.specs import Flag, Spec, Text, Whole
from epolab.yaml_file import parse_text


@dataclass(frozen=True)
class Thing:
    """A thing."""

    size: Located[int] | None = key(Whole(1, 9), "How big", required=True)
    source: Located[str] | None = key(Text(), "Where from", written="from")
    loud: Located[bool] | None = key(Flag(), "Whether it is heard")


THING = Record(Thing, "a thing", later={"smell": "no noses yet"})


def decode(spec: Spec[Any], text: str) -> tuple[Any, list[str]]:
    root = parse_text(text, "f").root
    assert root is not None
    report = Report("f")
    return spec.decode(root, ("top",), report), [f"{p.line}:{p.column} {p.code}" for p in report.problems]


def test_a_record_is_read_by_its_keys() -> None:
    found, problems = decode(THING, "size: 3\nfrom: here\n")
    assert problems == []
    assert (found.value.size.value, found.value.source.value, found.value.loud) == (3, "here", None)
    assert list(keys_of(Thing)) == ["size", "from", "loud"]


def test_all_that_is_wrong_with_a_record_is_told() -> None:
    _, problems = decode(THING, "from: here\nluod: true\nsmell: bad\nweight: 3\n")
    assert problems == ["1:1 missing-key", "2:1 unknown-key", "3:1 not-supported", "4:1 unknown-key"]


def test_a_misspelt_required_key_is_not_missing_too() -> None:
    _, problems = decode(THING, "sizee: 3\n")
    assert problems == ["1:1 unknown-key"]


@dataclass(frozen=True)
class Pet:
    """Either a cat or a dog."""

    cat: Located[str] | None = key(Text(), "Its name", required=True, unless="dog")
    dog: Located[str] | None = key(Text(), "Its name")


def test_one_key_may_stand_for_a_required_one() -> None:
    pet = Record(Pet, "a pet")
    assert decode(pet, "cat: Tom")[1] == decode(pet, "dog: Rex")[1] == []
    assert decode(Record(Pet, "a pet", empty_too=False), "{}")[1] == ["1:1 missing-key"]
    assert pet.schema()["anyOf"] == [{"required": ["cat"]}, {"required": ["dog"]}]
    assert "required" not in pet.schema()


def test_a_record_may_be_empty_where_that_is_allowed() -> None:
    assert decode(Record(Thing, "a thing", empty_too=True), "null")[0].value == Thing()
    assert decode(THING, "null")[1] == ["1:1 wrong-type"]
    assert decode(THING, "[1]")[1] == ["1:1 wrong-type"]


@pytest.mark.parametrize(
    ("spec", "text", "values", "problems"),
    [
        (Many(Whole(1, 9)), "[1, 2]", [1, 2], []),
        (Many(Whole(1, 9)), "null", [], []),
        (Many(Whole(1, 9), scalar_too=True), "3", [3], []),
        (Many(Whole(1, 9)), "[1, x, 10]", [1], ["1:5 wrong-type", "1:8 out-of-bounds"]),
        (Many(Whole(1, 9)), "3", None, ["1:1 wrong-type"]),
        (Many(Whole(1, 9), minimum=1), "[]", None, ["1:1 wrong-length"]),
        (Many(Whole(1, 9), exactly=2), "[1]", None, ["1:1 wrong-length"]),
        (Many(Whole(1, 9), exactly=2), "[1, 2, 3]", None, ["1:1 wrong-length"]),
    ],
)
def test_lists(spec: Many[int], text: str, values: list[int] | None, problems: list[str]) -> None:
    found, told = decode(spec, text)
    assert (None if found is None else [item.value for item in found.value]) == values
    assert told == problems


def test_tables_keep_the_order_and_leave_out_what_is_wrong() -> None:
    spec = Table(Text("name", "[a-z]+", "small", "bad-name"), Whole(1, 9))
    found, problems = decode(spec, "b: 1\nA: 2\na: x\nc: 3\n")
    assert [(name.value, item.value) for name, item in found.value] == [("b", 1), ("c", 3)]
    assert problems == ["2:1 bad-name", "3:4 wrong-type"]


def test_schemas_follow_the_records() -> None:
    schema = THING.schema()
    assert schema["required"] == ["size"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["from"]["description"] == "Where from"
    assert Many(Whole(1, 9), scalar_too=True).schema()["anyOf"][0] == {"type": "integer", "minimum": 1, "maximum": 9}
