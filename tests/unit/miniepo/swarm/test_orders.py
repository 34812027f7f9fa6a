"""What a swarm says of itself."""

import pytest

from miniepo.swarm.orders import share


@pytest.mark.parametrize(("percent", "seconds"), [(50, 0.5), (99, 0.99), (100, 1.0)])
def test_a_share_of_the_calls_took_no_longer(percent: int, seconds: float) -> None:
    assert share([number / 100 for number in range(100, 0, -1)], percent) == seconds


def test_one_call_is_every_share_and_none_is_nothing() -> None:
    assert share([0.25], 50) == share([0.25], 99) == 0.25
    assert share([], 99) == 0.0
