import pytest

from epolab.model.link import Shape
from epolab.wan.measured import (
    deviation,
    goodput_of,
    loss_of,
    noise_of,
    one_way_ms,
    percentile,
    rate_of,
    round_trips_of,
    stall_of,
)


def test_round_trips_are_summed_up_and_none_is_none() -> None:
    seen = round_trips_of({"series": [(80_000_000, 0, 0)] * 99 + [(90_000_000, 0, 0)], "sent": 101})
    assert seen is not None
    assert (seen.median_ms, seen.p99_ms, seen.mean_ms) == (80.0, 90.0, pytest.approx(80.1))
    assert (seen.sent, seen.received) == (101, 100)
    assert round_trips_of({"series": [], "sent": 5}) is None


def test_one_way_delays_do_not_count_the_transmitter() -> None:
    (there,) = one_way_ms([(0, 40_560_000, 0)], 1, Shape(rate_bps=1_000_000))
    assert there == pytest.approx(40.0)


def arrivals(**values: int) -> dict[str, int]:
    return {"received": 0, "pairs": 0, "pair_ns": 0, "spread_ns": 0} | values


def test_a_rate_is_that_of_neighbours_whatever_was_lost_between_others() -> None:
    """1514 bytes each 1.2112 ms are 10 Mbit/s, though every second one was dropped by a full queue."""
    lossy = arrivals(received=150, pairs=100, pair_ns=121_120_000, spread_ns=300_000_000)
    assert rate_of(lossy, 1472) == pytest.approx(10_000_000)


def test_without_neighbours_the_rate_is_what_came() -> None:
    assert rate_of(arrivals(received=101, pairs=2, spread_ns=242_240_000), 1472) == pytest.approx(5_000_000)
    assert rate_of(arrivals(received=1), 1472) is None


def test_loss_goodput_deviation_and_percentiles() -> None:
    loss = loss_of(1000, arrivals(received=990))
    assert loss is not None
    assert (loss.lost, loss.ratio) == (10, 0.01)
    assert loss_of(0, arrivals()) is None
    assert goodput_of({"bytes": 1_250_000, "seconds": 1.0}) == 10_000_000
    assert goodput_of({"bytes": 0, "seconds": 0}) is None
    assert deviation([1.0, 3.0]) == pytest.approx(2**0.5)
    assert deviation([1.0]) is None
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0


def test_noise_is_the_worst_series_that_says_something() -> None:
    answers = [
        {"oversleep": {"p99_ms": 0.3, "sample": 200}},
        {"oversleep": {"p99_ms": 1.5, "sample": 100}},
        {"oversleep": {"p99_ms": 9.0, "sample": 2}},
        {"oversleep": {"p99_ms": None, "sample": 0}},
        {"bytes": 1},
    ]
    assert noise_of(answers) == 1.5
    assert noise_of([]) is None


def test_a_stall_is_the_longest_of_all_series_however_short() -> None:
    answers = [
        {"oversleep": {"p99_ms": 0.3, "max_ms": 12.0, "sample": 200}},
        {"oversleep": {"p99_ms": 9.0, "max_ms": 30.0, "sample": 2}},
        {"oversleep": {"p99_ms": None, "max_ms": None, "sample": 0}},
    ]
    assert stall_of(answers) == 30.0
    assert stall_of([]) is None
