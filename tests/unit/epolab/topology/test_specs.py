from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Any

import pytest

from epolab.topology.quantity import DELAY, RATE
from epolab.topology.report import Report
from epolab.topology.specs import AddressText, Amount, Choice, Flag, NetworkText, Spec, Text, Whole
from epolab.yaml_file import Mapping, parse_text


def decode(spec: Spec[Any], written: str) -> tuple[object, list[str]]:
    root = parse_text(f"key: {written}\n", "f").root
    assert isinstance(root, Mapping)
    report = Report("f")
    found = spec.decode(root.entries[0][1], ("key",), report)
    return (None if found is None else found.value, [problem.code for problem in report.problems])


NAME = Text("name", r"[a-z]+", "small letters", "bad-name", 5)
WORD = Choice("word", ("one", "two"), {"three": "later"})


@pytest.mark.parametrize(
    ("spec", "written", "value"),
    [
        (NAME, "abc", "abc"),
        (Text(), "4.8", "4.8"),
        (WORD, "two", "two"),
        (Whole(1, 5), "5", 5),
        (Flag(), "true", True),
        (Amount(DELAY), "40ms", 40),
        (NetworkText(IPv4Network), "10.0.0.0/8", IPv4Network("10.0.0.0/8")),
        (NetworkText(IPv6Network), '"fd00::/64"', IPv6Network("fd00::/64")),
        (AddressText(IPv4Address), "10.0.0.1", IPv4Address("10.0.0.1")),
    ],
)
def test_what_is_right_is_read(spec: Spec[Any], written: str, value: object) -> None:
    assert decode(spec, written) == (value, [])


@pytest.mark.parametrize(
    ("spec", "written", "code"),
    [
        (NAME, "ABC", "bad-name"),
        (NAME, "abcdef", "bad-name-length"),
        (NAME, "true", "wrong-type"),
        (NAME, "[a]", "wrong-type"),
        (NAME, "", "wrong-type"),
        (WORD, "three", "not-supported"),
        (WORD, "four", "unknown-word"),
        (WORD, "{}", "wrong-type"),
        (Whole(1, 5), "6", "out-of-bounds"),
        (Whole(1, 5), "true", "wrong-type"),
        (Whole(1, 5), "1.0", "wrong-type"),
        (Flag(), "1", "wrong-type"),
        (Amount(DELAY), "40", "duration-unit"),
        (Amount(RATE), "[]", "wrong-type"),
        (NetworkText(IPv4Network), "10.0.0.1/8", "bad-network"),
        (NetworkText(IPv4Network), '"fd00::/64"', "bad-network"),
        (NetworkText(IPv6Network), "5.5", "bad-network"),
        (AddressText(IPv4Address), "10.0.0.1/8", "bad-address"),
    ],
)
def test_what_is_wrong_is_reported_and_gives_nothing(spec: Spec[Any], written: str, code: str) -> None:
    assert decode(spec, written) == (None, [code])


def test_a_recovering_choice_goes_on_with_the_nearest_word() -> None:
    spec = Choice("component", ("agent", "relay"), code="unknown-component", recover=True)
    assert decode(spec, "agnet") == ("agent", ["unknown-component"])
    assert decode(spec, "xyz") == (None, ["unknown-component"])


def test_host_bits_are_named_in_the_hint() -> None:
    root = parse_text("key: 10.0.0.7/24\n", "f").root
    assert isinstance(root, Mapping)
    report = Report("f")
    NetworkText(IPv4Network).decode(root.entries[0][1], ("key",), report)
    assert report.problems[0].hint == "host bits are set; the network is 10.0.0.0/24"
