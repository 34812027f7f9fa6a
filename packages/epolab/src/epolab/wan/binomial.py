"""Exact binomial tests of a loss ratio, and how large a sample must be to tell a ratio from its double."""

from __future__ import annotations

from functools import cache
from math import ceil, exp, lgamma, log, log1p

FALSE_ALARM = 1e-4
POWER = 0.9


def log_probability(lost: int, sample: int, ratio: float) -> float:
    """The logarithm of the probability of exactly `lost` of `sample` (0 < ratio < 1)."""
    ways = lgamma(sample + 1) - lgamma(lost + 1) - lgamma(sample - lost + 1)
    return ways + lost * log(ratio) + (sample - lost) * log1p(-ratio)


def _sum_outwards(first: int, step: int, sample: int, ratio: float) -> float:
    total, lost = 0.0, first
    while 0 <= lost <= sample:
        term = exp(log_probability(lost, sample, ratio))
        total += term
        if term <= total * 1e-15:
            break
        lost += step
    return total


def at_least(lost: int, sample: int, ratio: float) -> float:
    """The probability of `lost` or more of `sample`."""
    if lost > sample * ratio:
        return _sum_outwards(lost, 1, sample, ratio)
    return 1.0 - _sum_outwards(lost - 1, -1, sample, ratio)


def at_most(lost: int, sample: int, ratio: float) -> float:
    """The probability of `lost` or fewer of `sample`."""
    if lost < sample * ratio:
        return _sum_outwards(lost, -1, sample, ratio)
    return 1.0 - _sum_outwards(lost + 1, 1, sample, ratio)


def two_sided(lost: int, sample: int, ratio: float) -> float:
    """The p-value of `lost` of `sample` against a declared ratio; a declared zero allows none."""
    if ratio == 0:
        return 1.0 if lost == 0 else 0.0
    return min(1.0, 2 * min(at_least(lost, sample, ratio), at_most(lost, sample, ratio)))


def loss_is_as_declared(lost: int, sample: int, ratio: float) -> bool:
    """Whether the sample speaks for the declared ratio, with a false-alarm probability of 1e-4."""
    return two_sided(lost, sample, ratio) >= FALSE_ALARM


def _alarm_above(sample: int, ratio: float) -> int:
    """The smallest count of losses that raises the alarm."""
    low, high = int(sample * ratio), sample + 1
    while low < high:
        middle = (low + high) // 2
        if at_least(middle, sample, ratio) < FALSE_ALARM / 2:
            high = middle
        else:
            low = middle + 1
    return low


def power_against_double(sample: int, ratio: float) -> float:
    """The probability that a line which loses twice the declared ratio raises the alarm."""
    return at_least(_alarm_above(sample, ratio), sample, min(0.999, 2 * ratio))


@cache
def sample_size(ratio: float) -> int:
    """The smallest sample (within 2 %) that finds a doubled ratio with a probability of 0.9."""
    sample = ceil(10 / ratio)
    while power_against_double(sample, ratio) < POWER:
        sample = ceil(sample * 1.02)
    return sample
