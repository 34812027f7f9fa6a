"""Which lab and node a person means."""

import pytest

from epolab.errors import ArgumentError, LabAmbiguousError, LabNameError, LabNotFoundError, NodeNotFoundError
from epolab.steps.names import checked_lab_name, owner_name, parse_duration, pick_lab, pick_node, split_node

PATHS = ("hq/epo", "hq/router", "tokyo/router", "tokyo/pc-1")


@pytest.mark.parametrize("name", ["a", "quickstart", "a-1", "a" * 31])
def test_a_good_lab_name(name: str) -> None:
    assert checked_lab_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "1a", "-a", "a_b", "a.b", "a" * 32, "a\n"])
def test_a_bad_lab_name(name: str) -> None:
    with pytest.raises(LabNameError):
        checked_lab_name(name)


def test_the_only_lab_needs_no_name() -> None:
    assert pick_lab(None, ["one"]) == "one"
    assert pick_lab("one", ["one", "two"]) == "one"


def test_no_lab_and_several_labs_are_told_apart() -> None:
    with pytest.raises(LabNotFoundError):
        pick_lab(None, [])
    with pytest.raises(LabNotFoundError):
        pick_lab("three", ["one", "two"])
    with pytest.raises(LabAmbiguousError, match="one, two"):
        pick_lab(None, ["two", "one"])


@pytest.mark.parametrize(("text", "meant"), [("pc-1", (None, "pc-1")), ("lab:hq/epo", ("lab", "hq/epo"))])
def test_a_node_may_have_a_lab_in_front(text: str, meant: tuple[str | None, str]) -> None:
    assert split_node(text) == meant


def test_nothing_after_the_colon_is_no_node() -> None:
    with pytest.raises(ArgumentError):
        split_node("lab:")


@pytest.mark.parametrize(
    ("wanted", "path"), [("hq/epo", "hq/epo"), ("epo", "hq/epo"), ("tokyo/router", "tokyo/router")]
)
def test_a_node_by_path_or_by_name(wanted: str, path: str) -> None:
    assert pick_node(wanted, PATHS, "lab") == path


@pytest.mark.parametrize("wanted", ["router", "nobody", "hq"])
def test_a_node_that_is_not_clear(wanted: str) -> None:
    with pytest.raises(NodeNotFoundError):
        pick_node(wanted, PATHS, "lab")


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("4h", 14400), ("2d", 172800), ("1.5h", 5400)]
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "4", "h", "-1h", "0s", "4 h", "4w"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ArgumentError):
        parse_duration(text)


def test_the_owner_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EPOLAB_OWNER", "somebody")
    assert owner_name() == "somebody"
