"""Every door, with what hypothesis makes of its seeds: the same inputs in every run."""

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.doors import DOORS
from tests.fuzz.strategies import bytes_like

EXAMPLES = 400


@pytest.mark.parametrize("name", DOORS)
def test_a_door_stands_whatever_comes(name: str) -> None:
    """No error but those of the door's promise, no broken invariant."""
    take, seeds = DOORS[name]

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=2000, suppress_health_check=list(HealthCheck)
    )
    @given(bytes_like(seeds))
    def stands(data: bytes) -> None:
        take(data)

    stands()


@pytest.mark.parametrize("name", DOORS)
def test_the_seeds_pass(name: str) -> None:
    """The seeds themselves pass every door."""
    take, seeds = DOORS[name]
    for seed in seeds:
        take(seed)
