"""What is wrong with how agents of a swarm came back that their full handler had refused."""

from dataclasses import replace
from pathlib import Path

import pytest

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.refused import Refused, refusable, wrong_retries

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
TOPOLOGY = load_topology(TOPOLOGIES / "conversations.yaml")
NODE = TOPOLOGY.node("dmz/crowd")
NAMES = facts.swarm_members(NODE)
CALLS = tuple((name, "dmz/ah-1", 100.0 + 0.2 * number) for number, name in enumerate(NAMES))
GOOD = Refused("hq/epo", 245, "all of them called in", CALLS)


def test_a_crowd_that_spreads_over_another_handler_is_in_order() -> None:
    assert wrong_retries(NODE, GOOD) == []


def test_a_few_that_found_a_free_connection_are_in_order() -> None:
    found = tuple((name, "hq/epo", 100.0) for name in NAMES[:3])
    assert wrong_retries(NODE, replace(GOOD, calls=(*found, *CALLS[3:]))) == []


@pytest.mark.parametrize(
    ("change", "expected", "observed"),
    [
        ({"held": 200}, "find hq/epo full", "only 200 connections stood there"),
        (
            {"calls": CALLS[:-4]},
            "each of its agents calls in although hq/epo is full",
            "crowd-0019.dmz.test and 1 more did not",
        ),
        ({"calls": ()}, "each of its agents calls in although hq/epo is full", "and 17 more did not: all of them"),
        (
            {"calls": tuple((name, "hq/epo", moment) for name, _, moment in CALLS)},
            "whom hq/epo refuses goes to another handler",
            "20 of 20 called in there",
        ),
        (
            {"calls": tuple((name, where, 100.0) for name, where, _ in CALLS)},
            "whom hq/epo refuses comes back within 5 s, not all at once",
            "20 came within 0.0 s",
        ),
    ],
)
def test_what_is_wrong_is_told(change: dict[str, object], expected: str, observed: str) -> None:
    [(wanted, told)] = wrong_retries(NODE, replace(GOOD, **change))  # type: ignore[arg-type]
    assert wanted.startswith("dmz/crowd: ") and expected in wanted
    assert observed in told


@pytest.mark.parametrize(
    ("file", "found"),
    [
        ("conversations.yaml", {"dmz/crowd": "hq/epo"}),
        ("relay-failover.yaml", {}),
        ("tokyo-4000.yaml", {}),
        ("quickstart.yaml", {}),
    ],
)
def test_only_a_swarm_with_a_handler_of_its_own_and_another_one_can_be_refused(
    file: str, found: dict[str, str]
) -> None:
    seen = refusable(load_topology(TOPOLOGIES / file))
    assert {path: handler.path for path, handler in seen.items()} == found
