"""Which relays can be stopped together, and through which one an agent called in."""

from pathlib import Path

from epolab.topology import load_topology
from epolab.verify.behind_relays import behind, current_relay, newer, rounds

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
FIRST, SECOND = "india/india-relay-1", "india/india-relay-2"


def test_agents_without_a_straight_way_are_behind_relays() -> None:
    assert [node.path for node in behind(TOPOLOGY)] == ["india/india-pc-1", "india/india-pc-2"]


def test_the_current_relay_is_told_by_name() -> None:
    node = behind(TOPOLOGY)[0]
    assert current_relay(TOPOLOGY, node, {"last_handler": {"via_relay": "india-relay-2"}}) == SECOND
    assert current_relay(TOPOLOGY, node, {"last_handler": {"via_relay": None}}) is None
    assert current_relay(TOPOLOGY, node, {"last_handler": None}) is None


def test_two_relays_of_one_segment_are_never_stopped_together() -> None:
    current = {"india/india-pc-1": FIRST, "india/india-pc-2": SECOND}
    assert rounds(TOPOLOGY, current) == [(FIRST,), (SECOND,)]


def test_a_relay_that_nobody_uses_is_not_stopped() -> None:
    assert rounds(TOPOLOGY, {"india/india-pc-1": SECOND, "india/india-pc-2": SECOND}) == [(SECOND,)]


def test_what_a_pull_brings_meanwhile_is_the_masters_content_too() -> None:
    before, now = {"DAT": ["1"], "Engine": ["7"]}, {"DAT": ["1", "2"], "Fresh": ["1"]}
    assert newer(before, now) == {"DAT": ["1", "2"], "Engine": ["7"]}
