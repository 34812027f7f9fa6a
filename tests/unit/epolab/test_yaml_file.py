from pathlib import Path

import pytest

from epolab.yaml_file import MAX_DEPTH, Mapping, Place, Scalar, parse_bytes, parse_text, plain, read_yaml


def codes(text: str) -> list[tuple[int, int, str]]:
    return [(problem.line, problem.column, problem.code) for problem in parse_text(text, "f").problems]


def test_values_keep_their_place() -> None:
    root = parse_text("a:\n  - 1\n  - b: x\n", "f").root
    assert isinstance(root, Mapping)
    ((key, items),) = root.entries
    assert key == Scalar(Place(1, 1), "a", "a")
    assert plain(items) == [1, {"b": "x"}]
    assert items.place == Place(2, 3)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5", 5),
        ("0x10", 16),
        ("010", 10),
        ("1_000", 1000),
        ("1.5", 1.5),
        ("true", True),
        ("yes", "yes"),
        ("'5'", "5"),
        ("null", None),
        ("~", None),
        ("", None),
        ("10mbit", "10mbit"),
        ("2020-01-01", "2020-01-01"),
        (".inf", ".inf"),
        ("4.8.0", "4.8.0"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(written: str, value: object) -> None:
    root = parse_text(f"a: {written}\n", "f").root
    assert root is not None and plain(root) == {"a": value}


def test_a_number_too_long_for_python_is_text() -> None:
    root = parse_text("a: " + "9" * 5000, "f").root
    assert root is not None and plain(root) == {"a": "9" * 5000}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [(1, 1, "file-empty")]),
        ("# nothing\n", [(1, 1, "file-empty")]),
        ("a: 1\nb: 2\na: 3\n", [(3, 1, "duplicate-key")]),
        ("a:\n\tb: 1\n", [(2, 1, "yaml-tab")]),
        ("a: [1\n", [(2, 1, "yaml-syntax")]),
        ("a: *b\n", [(1, 4, "yaml-syntax")]),
        ("a: &b [*b]\n", [(1, 4, "yaml-alias")]),
        ("a: !b c\n", [(1, 4, "yaml-tag")]),
        ("? [a]\n: b\n", [(1, 3, "yaml-key")]),
        ("a: 1\n---\nb: 2\n", [(3, 1, "yaml-documents")]),
        ("a: \x01\n", [(1, 4, "yaml-syntax")]),
    ],
)
def test_what_is_wrong_has_a_place_and_a_code(text: str, found: list[tuple[int, int, str]]) -> None:
    assert codes(text) == found


def test_all_duplicates_are_told() -> None:
    assert sorted(line for line, _, _ in codes("a: 1\na: 2\nb: {c: 1, c: 2}\na: 3\n")) == [2, 3, 4]


def test_anchors_are_followed() -> None:
    root = parse_text("a: &x {b: 1}\nc: *x\n", "f").root
    assert root is not None and plain(root) == {"a": {"b": 1}, "c": {"b": 1}}


def test_merge_keys_are_refused_and_yet_followed() -> None:
    read = parse_text("a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n", "f")
    assert [p.code for p in read.problems] == ["yaml-merge"]
    assert read.root is not None and plain(read.root)["c"] == {"b": 1, "d": 2}


def test_depth_and_size_are_bounded() -> None:
    assert [code for _, _, code in codes("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))] == ["yaml-too-deep"]
    assert [code for _, _, code in codes("[" * 20_000 + "]" * 20_000)] == ["yaml-too-deep"]
    bomb = "a: &a [1,2,3,4,5,6,7,8,9,0]\n" + "".join(
        f"{name}: &{name} [{','.join(['*' + before] * 10)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
    )
    assert [code for _, _, code in codes(bomb)] == ["yaml-too-large"]


def test_a_byte_that_is_not_utf8_is_found_where_it_is() -> None:
    (problem,) = parse_bytes(b"a: 1\nb: x\xff\n", "f").problems
    assert (problem.line, problem.column, problem.code) == (2, 5, "file-encoding")


def test_a_byte_order_mark_is_no_problem() -> None:
    assert parse_bytes(b"\xef\xbb\xbfa: 1\n", "f").problems == ()


def test_a_file_that_is_not_there_is_a_problem_too(tmp_path: Path) -> None:
    (problem,) = read_yaml(tmp_path / "none.yaml").problems
    assert (problem.line, problem.column, problem.code) == (1, 1, "file-unreadable")
    assert read_yaml(tmp_path).problems[0].code == "file-unreadable"


def test_a_value_left_out_is_where_its_key_is() -> None:
    root = parse_text("a:\nb: 1\n", "f").root
    assert isinstance(root, Mapping)
    assert root.entries[0][1].place == Place(1, 1)


def test_of_two_anchors_of_one_name_the_last_before_the_alias_counts() -> None:
    root = parse_text("a: &x 1\nb: &x 2\nc: *x\n", "f").root
    assert root is not None and plain(root) == {"a": 1, "b": 2, "c": 2}
