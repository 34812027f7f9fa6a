"""Agents behave by their version where the sources differ, case by case."""

from __future__ import annotations

import pytest

from miniepo.protocol.sitelist import Site
from miniepo.protocol.version import EPO_VERSION, Behaviour, parse, scaled, starts_datachannel

VERSIONS = ("4.0.0", "4.5.0", "4.6.0", "4.8.0", "5.0.0", "5.8.1")


def column(name: str) -> list[object]:
    """What the table says of one thing, version by version."""
    return [getattr(Behaviour.of(version), name) for version in VERSIONS]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("first_call_seconds", [600, 600, 600, 6, 45, 45]),
        ("enforcement_seconds", [300, 300, 300, 300, 3600, 3600]),
        ("server_connections", ["first-handler", *["listed-handlers"] * 5]),
        ("datachannel", [False, True, True, True, True, True]),
        ("run_now", [False, False, True, True, True, True]),
        ("relay", [False, False, False, True, True, True]),
        ("discovery_port", [8083, 8083, 8083, 8083, 8082, 8082]),
        ("relay_on_wakeup_port", [False, False, False, False, True, True]),
        ("policy_manifest", [False, False, False, False, True, True]),
        ("persistent_connection", [False, False, False, False, True, True]),
    ],
)
def test_each_difference_begins_with_its_version(name: str, expected: list[object]) -> None:
    assert column(name) == expected


def test_the_table_is_tested_whole() -> None:
    assert len(Behaviour.__dataclass_fields__) == 10


@pytest.mark.parametrize(
    ("version", "platform", "can"),
    [
        ("4.6.0", "Linux", False),
        ("4.8.0", "Linux", True),
        ("4.8.0", "AIX", False),
        ("5.8.1", " aix ", False),
        *(("5.8.1", name, False) for name in ("AIX 7.2", "aix7", "IBM AIX", "IBM-AIX_7.3")),
        ("5.8.1", "Maix", True),
        ("5.8.1", "", True),
        ("5.8.1", "HP-UX", True),
    ],
)
def test_a_relay_needs_4_8_and_another_platform_than_aix(version: str, platform: str, can: bool) -> None:
    assert Behaviour.of(version).can_relay(platform) is can


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("5.9.1", (5, 9, 1)),
        ("4.8", (4, 8)),
        (" 4.10.0 ", (4, 10, 0)),
        ("", ()),
        ("unknown", ()),
        ("4.x.9", (4,)),
        ("-4.8", ()),
        ("4.²", (4,)),
    ],
)
def test_a_version_is_read_as_far_as_it_is_one(text: str, numbers: tuple[int, ...]) -> None:
    assert parse(text) == numbers


def test_versions_are_compared_as_numbers() -> None:
    assert Behaviour.of("4.10.0").relay and Behaviour.of("10.0").persistent_connection


def test_who_tells_no_version_is_taken_for_the_oldest() -> None:
    assert Behaviour.of("") == Behaviour.of("4.0.0")


@pytest.mark.parametrize(
    ("field_seconds", "asci_seconds", "lab_seconds"),
    [(600, 3600, 600), (600, 60, 10), (6, 5, 6 / 720), (300, 7200, 300)],
)
def test_a_faster_lab_has_shorter_times(field_seconds: float, asci_seconds: float, lab_seconds: float) -> None:
    assert scaled(field_seconds, asci_seconds) == pytest.approx(lab_seconds)


@pytest.mark.parametrize(("epo", "starts"), [("4.0.9", False), ("4.5", True), ("4.5.0", True), ("5.9.1", True)])
def test_the_datachannel_starts_by_the_version_of_the_spipe_site(epo: str, starts: bool) -> None:
    assert starts_datachannel(epo) is starts


def test_the_version_that_is_presented_is_new_enough_for_the_datachannel() -> None:
    assert Site("SpipeSite", "a", "master", 1, "a", 80, version=EPO_VERSION).speaks_datachannel
