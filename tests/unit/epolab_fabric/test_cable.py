"""The shaping model as playbooks: frames offered at given times, arrivals expected at given times."""

from random import Random
from statistics import fmean, stdev

import pytest

from epolab_fabric.cable import MILLISECOND, SECOND, Flight, Lead, Line


def line(**shape: float | None) -> Line:
    made = Line(Random(7))
    made.reshape(**{"queue_ms": 200.0} | shape)  # type: ignore[arg-type]
    return made


def test_an_unshaped_line_hands_over_at_once() -> None:
    assert line().offer(5, 1514) == 5


def test_a_frame_takes_its_time_on_the_transmitter_and_then_the_delay() -> None:
    shaped = line(rate_bps=10_000_000, delay_ms=40)
    assert shaped.offer(0, 1250) == MILLISECOND + 40 * MILLISECOND


def test_frames_leave_one_after_the_other_and_an_idle_line_saves_nothing_up() -> None:
    shaped = line(rate_bps=8_000_000)
    assert [shaped.offer(0, 1000) for _ in range(3)] == [MILLISECOND, 2 * MILLISECOND, 3 * MILLISECOND]
    assert shaped.offer(SECOND, 1000) == SECOND + MILLISECOND
    assert shaped.offer(SECOND, 1000) == SECOND + 2 * MILLISECOND


@pytest.mark.parametrize("rate_bps", [512_000, 2_000_000, 10_000_000, 1_000_000_000])
def test_a_busy_line_carries_its_rate_exactly(rate_bps: int) -> None:
    shaped, frames = line(rate_bps=rate_bps, queue_ms=1e9), 10_000
    arrivals = [shaped.offer(0, 1514) for _ in range(frames)]
    assert arrivals[-1] is not None
    assert frames * 1514 * 8 / (arrivals[-1] / SECOND) == pytest.approx(rate_bps, rel=1e-4)


def test_the_queue_drops_its_tail_and_counts_it() -> None:
    shaped = line(rate_bps=8_000_000, queue_ms=2)
    taken = [shaped.offer(0, 1000) for _ in range(5)]
    assert taken == [MILLISECOND, 2 * MILLISECOND, 3 * MILLISECOND, None, None]
    assert shaped.counters.dropped == 2
    assert shaped.offer(MILLISECOND, 1000) == 4 * MILLISECOND


def test_loss_is_as_often_as_declared_and_uses_the_line_all_the_same() -> None:
    shaped = line(rate_bps=8_000_000, loss_ratio=0.05, queue_ms=1e9)
    arrivals = [shaped.offer(0, 1000) for _ in range(40_000)]
    assert arrivals.count(None) == shaped.counters.dropped
    assert shaped.counters.dropped / 40_000 == pytest.approx(0.05, abs=0.005)
    assert max(it for it in arrivals if it is not None) == pytest.approx(40_000 * MILLISECOND, rel=1e-3)


def test_jitter_has_the_declared_deviation_around_the_delay() -> None:
    shaped = line(delay_ms=50, jitter_ms=5)
    delays = [(shaped.offer(at, 60) or 0) - at for at in range(0, 2000 * 50 * MILLISECOND, 50 * MILLISECOND)]
    assert stdev(delays) / MILLISECOND == pytest.approx(5, rel=0.1)
    assert fmean(delays) / MILLISECOND == pytest.approx(50, abs=0.5)
    assert min(delays) >= 35 * MILLISECOND
    assert max(delays) <= 65 * MILLISECOND


@pytest.mark.parametrize("reorder", [False, True])
def test_jitter_keeps_the_order_unless_reordering_is_wanted(reorder: bool) -> None:
    shaped = line(delay_ms=50, jitter_ms=5, reorder=reorder)
    arrivals = [shaped.offer(at, 60) or 0 for at in range(0, 500 * MILLISECOND, MILLISECOND)]
    assert (arrivals != sorted(arrivals)) is reorder


def test_jitter_never_makes_a_frame_arrive_before_it_left() -> None:
    shaped = line(delay_ms=1, jitter_ms=10, reorder=True)
    assert all((shaped.offer(at, 60) or 0) >= at for at in range(1000))


def test_another_shape_holds_from_the_next_frame_on() -> None:
    shaped = line(rate_bps=8_000_000, delay_ms=10)
    assert shaped.offer(0, 1000) == 11 * MILLISECOND
    shaped.reshape(rate_bps=16_000_000, delay_ms=20, queue_ms=200)
    assert shaped.offer(0, 1000) == MILLISECOND + MILLISECOND // 2 + 20 * MILLISECOND


def test_a_shorter_delay_does_not_overtake_what_is_under_way() -> None:
    shaped = line(delay_ms=100)
    assert shaped.offer(0, 60) == 100 * MILLISECOND
    shaped.reshape(delay_ms=10)
    assert shaped.offer(MILLISECOND, 60) == 100 * MILLISECOND


def test_the_same_seed_gives_the_same_line() -> None:
    first, second = line(delay_ms=50, jitter_ms=5, loss_ratio=0.1), line(delay_ms=50, jitter_ms=5, loss_ratio=0.1)
    assert [first.offer(0, 60) for _ in range(100)] == [second.offer(0, 60) for _ in range(100)]


def test_what_was_handed_over_is_counted() -> None:
    shaped = line()
    shaped.delivered(60)
    shaped.delivered(1514)
    assert (shaped.counters.bytes, shaped.counters.packets, shaped.counters.dropped) == (1574, 2, 0)


def test_frames_under_way_come_out_in_the_order_of_their_arrival() -> None:
    flight: Flight[str] = Flight()
    for arrival, name in ((30, "late"), (10, "first"), (20, "left"), (20, "right")):
        flight.push(arrival, name, b"")
    assert flight.next_arrival() == 10
    assert [name for name, _ in flight.due(20)] == ["first", "left", "right"]
    assert (len(flight), flight.next_arrival()) == (1, 30)
    assert list(flight.due(29)) == []
    assert [name for name, _ in flight.due(31)] == ["late"]
    assert flight.next_arrival() is None


def test_a_process_that_always_wakes_late_learns_to_be_on_time() -> None:
    lead, wakes_late = Lead(), 90_000
    for _ in range(1000):
        lead.observe(wakes_late - lead.nanoseconds)
    assert lead.nanoseconds == pytest.approx(wakes_late, abs=100)


def test_a_lead_has_bounds_and_one_bad_moment_moves_it_little() -> None:
    lead = Lead()
    lead.observe(500 * MILLISECOND)
    assert 0 < lead.nanoseconds < 20_000
    for _ in range(1000):
        lead.observe(MILLISECOND)
    assert lead.nanoseconds == Lead.LIMIT
    for _ in range(1000):
        lead.observe(-MILLISECOND)
    assert lead.nanoseconds == 0
