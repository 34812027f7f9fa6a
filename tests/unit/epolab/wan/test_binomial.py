from math import comb

import pytest

from epolab.wan.binomial import (
    FALSE_ALARM,
    POWER,
    at_least,
    at_most,
    loss_is_as_declared,
    power_against_double,
    sample_size,
    two_sided,
)


def exactly(lost: int, sample: int, ratio: float) -> float:
    return comb(sample, lost) * ratio**lost * (1 - ratio) ** (sample - lost)


@pytest.mark.parametrize(("sample", "ratio"), [(20, 0.1), (50, 0.5), (12, 0.9), (200, 0.01)])
def test_tails_are_the_sums_of_the_probabilities(sample: int, ratio: float) -> None:
    for lost in range(sample + 1):
        assert at_least(lost, sample, ratio) == pytest.approx(
            sum(exactly(n, sample, ratio) for n in range(lost, sample + 1)), abs=1e-9
        )
        assert at_most(lost, sample, ratio) == pytest.approx(
            sum(exactly(n, sample, ratio) for n in range(lost + 1)), abs=1e-9
        )


def test_a_declared_zero_allows_no_loss() -> None:
    assert loss_is_as_declared(0, 2000, 0.0)
    assert not loss_is_as_declared(1, 2000, 0.0)


def test_false_alarms_are_as_rare_as_promised() -> None:
    """The probability of all outcomes that raise the alarm, though the declared ratio holds."""
    sample, ratio = 3000, 0.01
    alarms = [lost for lost in range(100) if not loss_is_as_declared(lost, sample, ratio)]
    assert 0 < sum(exactly(lost, sample, ratio) for lost in alarms) <= FALSE_ALARM


@pytest.mark.parametrize("ratio", [0.0005, 0.001, 0.01, 0.05, 0.2])
def test_the_sample_tells_a_ratio_from_its_double_and_is_hardly_larger_than_it_must_be(ratio: float) -> None:
    sample = sample_size(ratio)
    assert POWER <= power_against_double(sample, ratio) < POWER + 0.03
    assert power_against_double(int(sample * 0.9), ratio) < POWER
    assert loss_is_as_declared(round(sample * ratio), sample, ratio)


def test_too_little_loss_is_an_alarm_too() -> None:
    assert not loss_is_as_declared(0, 20_000, 0.001)
    assert two_sided(20, 20_000, 0.001) == pytest.approx(1.0, abs=0.1)
