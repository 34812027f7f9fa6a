"""Who draws, who can be moved, and what the verdict says to draws and moves that are wrong."""

from pathlib import Path

import pytest

from epolab.model.topology import Topology
from epolab.verify.drawing import (
    Moved,
    drawing,
    equals,
    given,
    movable,
    moved,
    of_agent,
    rule_for,
    target_of,
    wrong_draws,
    wrong_move,
)
from tests.unit.epolab.verify.tiers import TEXT, tiered

HOME = ["hq/epo"]


@pytest.fixture
def lab(tmp_path: Path) -> Topology:
    return tiered(tmp_path)


def test_agents_draw_among_the_equals_that_they_reach(lab: Topology) -> None:
    assert [node.path for node in drawing(lab)] == ["hq/pc"]
    assert [handler.path for handler in equals(lab, lab.node("hq/pc"))] == ["hq/ah-1", "hq/ah-2"]
    assert equals(lab, lab.node("shop/till")) == ()


def test_agents_are_moved_where_groups_are_declared_and_there_is_somewhere_to_go(lab: Topology, tmp_path: Path) -> None:
    assert [node.path for node in movable(lab)] == ["hq/pc", "shop/till"]
    assert target_of(lab, lab.node("shop/till")).path == "hq/ah-1"
    ungrouped = TEXT.replace("Pair: {handlers: [hq/ah-1, hq/ah-2], spread: true}", "").replace("Pair, ", "")
    assert movable(tiered(tmp_path, ungrouped.replace("  handler_groups:\n", ""))) == []


def test_the_rule_is_for_that_agent_alone_and_listed_rules_can_be_set_again(lab: Topology) -> None:
    till = lab.node("shop/till")
    rule = rule_for(lab, till)
    assert (rule["subnets"], rule["use"]) == ([f"{till.ipv4}/32"], ["hq/ah-1"])
    assert given({"priority": 3, "group": None, **rule}) == {"group": None, **rule}


def test_draws_that_fall_on_one_handler_or_on_another_are_wrong(lab: Topology) -> None:
    among = equals(lab, lab.node("hq/pc"))
    assert wrong_draws("hq/pc", among, ["hq/ah-1", "hq/ah-2", "hq/ah-1"]) == []
    [(expected, observed)] = wrong_draws("hq/pc", among, ["hq/ah-1"] * 14)
    assert expected == "hq/pc: draws among hq/ah-1 and hq/ah-2 at each call-in"
    assert observed == "hq/pc: in 14 call-ins it used hq/ah-1 14 times"
    assert wrong_draws("hq/pc", among, ["hq/ah-1", "hq/ah-2", "hq/epo"])


def test_the_calls_of_an_agent_are_told_from_others_and_by_their_time() -> None:
    rows = [
        {"fqdn": "a", "received": 5.0, "handler": "hq/ah-1"},
        {"fqdn": "b", "received": 4.0, "handler": "x"},
        {"fqdn": "a", "received": 3.0, "handler": "hq/epo"},
    ]
    calls = of_agent(rows, "a")
    assert calls == [(3.0, "hq/epo"), (5.0, "hq/ah-1")]
    assert moved("hq/ah-1", calls, 2.0) == Moved("hq/ah-1", False, ("hq/epo", "hq/ah-1"))
    assert moved("hq/ah-1", calls, 4.0) == Moved("hq/ah-1", True, ("hq/ah-1",))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Moved("hq/ah-1", False, ("hq/epo", "hq/ah-1")), ()),
        (Moved("hq/ah-1", False, ("hq/epo", "hq/ah-1", "hq/ah-1")), ()),
        (Moved("hq/ah-1", True, ("hq/ah-1", "hq/ah-1")), ()),
        (Moved("hq/ah-1", False, ("hq/ah-1", "hq/ah-1")), ("still goes to hq/epo",)),
        (Moved("hq/ah-1", False, ("hq/epo", "hq/epo")), ("it goes to hq/ah-1",)),
        (Moved("hq/ah-1", False, ()), ("it goes to hq/ah-1",)),
    ],
)
def test_a_rule_counts_from_the_second_call_in(seen: Moved, words: tuple[str, ...]) -> None:
    broken = wrong_move("shop/till", HOME, seen)
    assert len(broken) == len(words)
    assert all(word in expected for word, (expected, _) in zip(words, broken, strict=True))


def test_an_agent_that_draws_may_be_at_its_target_before() -> None:
    seen = Moved("hq/ah-2", False, ("hq/ah-2", "hq/ah-2"))
    assert wrong_move("hq/pc", ["hq/ah-1", "hq/ah-2"], seen) == []
