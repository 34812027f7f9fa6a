"""Which agent is disturbed alone, and what is wrong with what it did."""

from pathlib import Path
from typing import Any

import pytest

from epolab.topology import load_topology
from epolab.verify.seclusion import (
    CUT,
    JOIN,
    Apart,
    Changed,
    Renewed,
    apart_troubles,
    change_troubles,
    guid_troubles,
    secluded,
)

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
STEADY = ("PROPS VERSION", "REQUEST PROPS", "INC PROPS (FreeMemory, UserProperty1)", "POLICY (nothing)")


def row(guid: str, number: int = 7) -> dict[str, Any]:
    return {"EPOLeafNode.AgentGUID": guid, "EPOComputerProperties.ParentID": number}


@pytest.mark.parametrize("name", ["quickstart", "conversations"])
def test_nobody_lives_by_the_agent_that_is_disturbed(name: str) -> None:
    assert secluded(load_topology(TOPOLOGIES / f"{name}.yaml"))[0].startswith("hq/hq-pc")


def test_an_agent_is_cut_off_and_joined_again_whoever_holds_the_firewalls_lock() -> None:
    for text in (CUT, JOIN):
        assert text.count("tables -w -") == text.count("tables ") == 4


def test_an_agent_that_enforces_alone_is_right() -> None:
    assert apart_troubles("a/b", Apart(False, 2, 1.0)) == []


def test_one_that_does_not_or_that_was_not_alone_is_told() -> None:
    assert [o for _, o in apart_troubles("a/b", Apart(False, 1, 1.0))] == ["a/b: it did so 1 times"]
    assert [o for _, o in apart_troubles("a/b", Apart(True, 5, 1.0))] == ["a/b: it called in"]


def test_a_change_that_arrives_alone_is_right() -> None:
    assert change_troubles("a/b", Changed("x", STEADY, "x")) == []


@pytest.mark.parametrize(
    "session",
    [("PROPS (31)",), ("INC PROPS (FreeMemory)",), ("INC PROPS (ComputerName, UserProperty1)",), ()],
)
def test_a_change_that_does_not_is_told(session: tuple[str, ...]) -> None:
    ((wanted, _),) = change_troubles("a/b", Changed("x", session, "x"))
    assert "sends UserProperty1" in wanted
    assert change_troubles("a/b", Changed("x", STEADY, "y"))[0][1] == "a/b: it has 'y'"


def test_a_new_guid_of_the_same_system_is_right() -> None:
    assert guid_troubles("a/b", Renewed(row("G1"), row("G2"), "G2", ())) == []


@pytest.mark.parametrize(
    ("renewed", "words"),
    [
        (Renewed(row("G1"), row("G1"), "G1", ()), "it says G1, the server has G1"),
        (Renewed(row("G1"), row("G2"), "G1", ()), "it says G1, the server has G2"),
        (Renewed(row("G1"), row("G2", 8), "G2", ()), "it is 8"),
        (Renewed(row("G1"), {}, "G2", ()), "the server has None"),
    ],
)
def test_a_guid_that_stays_or_another_system_is_told(renewed: Renewed, words: str) -> None:
    assert [o for _, o in guid_troubles("a/b", renewed) if words in o]
