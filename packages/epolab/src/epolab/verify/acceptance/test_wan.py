"""Promise `wan`: each link, in each direction, is within its bounds of what the topology declares."""

from collections.abc import Iterator

import pytest

from epolab.hands.docker import Docker
from epolab.hands.fabric import open_fabric
from epolab.verify.absent import ends_of_link
from epolab.verify.broken import expect_all
from epolab.verify.measure import Outcome, ends_of, measure_links
from epolab.verify.quiet import quiet, until_still
from epolab.verify.witness import Witness

DISTURBS = True


@pytest.fixture(scope="session", name="outcomes")
def outcomes_fixture(witness: Witness) -> Iterator[dict[str, Outcome]]:
    """Every link whose routers run, measured once, while the lab's own services keep silent."""
    docker = Docker.connect()
    with open_fabric(docker, f"{witness.lab}.fabric") as fabric:
        applied = fabric.call("link_state")
    topology = witness.topology
    links = [link for link in topology.links if all(map(witness.runs, ends_of_link(topology, link.name)))]
    ends = [ends_of(topology, witness.lab, link, applied) for link in links]
    with quiet(witness), open_fabric(docker, f"{witness.lab}.fabric") as fabric:
        measured = measure_links(
            docker, ends, lambda _: None, lambda: until_still(lambda: fabric.call("link_counters"))
        )
    yield {outcome.ends.link.name: outcome for outcome in measured}


def breaches_of(outcome: Outcome, direction: str | None) -> list[tuple[str, str]]:
    """What is out of bounds in a direction (None: the round trip), as (expected, observed)."""
    name = outcome.ends.link.name
    return [
        (f"{name}: {breach.figure} {breach.expected}", f"{name}: {breach.figure} {breach.observed}")
        for breach in outcome.verdict.breaches
        if breach.direction == direction
    ]


@pytest.mark.parametrize("direction", ["a_to_b", "b_to_a"])
def test_the_direction_is_as_declared(outcomes: dict[str, Outcome], link: str, direction: str) -> None:
    """rate, loss and jitter of the direction are as declared"""
    expect_all(breaches_of(outcomes[link], direction))


def test_the_round_trip_is_as_declared(outcomes: dict[str, Outcome], link: str) -> None:
    """the round trip is as declared"""
    expect_all(breaches_of(outcomes[link], None))
