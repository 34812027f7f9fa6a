import pytest

from epolab.model.link import Link, Shape
from epolab.wan.binomial import sample_size
from epolab.wan.plan import LOSSLESS_SAMPLE, frame_ms, plan_link


def planned(shape: Shape):  # type: ignore[no-untyped-def]
    return plan_link(Link("l", "a", "b", shape, shape, ()), shaped=shape.shaped)


def test_a_plain_link_is_asked_for_round_trips_and_for_loss() -> None:
    plan = planned(Shape())
    assert plan.round_trips >= 200
    for direction in (plan.a_to_b, plan.b_to_a):
        assert direction.loss is not None and direction.loss.count == LOSSLESS_SAMPLE
        assert (direction.rate, direction.jitter, direction.goodput) == (None, None, None)


def test_a_plain_link_is_measured_in_a_few_seconds() -> None:
    plan = planned(Shape())
    assert plan.round_trips * plan.round_trip_pause_ms / 1000 + plan.a_to_b.loss.seconds < 2


@pytest.mark.parametrize("rate_bps", [512_000, 2_000_000, 10_000_000, 100_000_000, 1_000_000_000])
def test_rate_is_measured_above_it_and_loss_below(rate_bps: int) -> None:
    plan = planned(Shape(rate_bps=rate_bps, delay_ms=10.0)).a_to_b
    assert plan.rate.count > plan.rate.burst >= 2
    offered = (plan.rate.payload_bytes + 42) * 8e9 / plan.rate.pause_ns
    assert 1.02 < offered / rate_bps < 1.05
    small = (plan.loss.payload_bytes + 42) * 8e9 / plan.loss.pause_ns
    assert small < 0.91 * rate_bps


def test_the_loss_sample_is_that_of_the_exact_test() -> None:
    assert planned(Shape(rate_bps=2_000_000, loss_ratio=0.001)).a_to_b.loss.count == sample_size(0.001)
    assert planned(Shape(rate_bps=2_000_000)).a_to_b.loss.count == LOSSLESS_SAMPLE


def test_the_quickstarts_links_are_measured_in_time() -> None:
    slow = planned(Shape(rate_bps=2_000_000, delay_ms=60.0, loss_ratio=0.001))
    trips = slow.round_trips * slow.round_trip_pause_ms / 1000
    assert trips + slow.a_to_b.loss.seconds + slow.a_to_b.rate.seconds < 13
    quick = planned(Shape(rate_bps=10_000_000, delay_ms=40.0))
    goodput = quick.a_to_b.goodput
    assert trips + quick.a_to_b.rate.seconds + 2 * (goodput.warm_seconds + goodput.seconds) < 11


def test_tcp_is_judged_only_where_it_can_fill() -> None:
    assert planned(Shape(rate_bps=10_000_000, delay_ms=40.0)).a_to_b.goodput is not None
    assert planned(Shape(rate_bps=10_000_000, delay_ms=40.0, loss_ratio=0.01)).a_to_b.goodput is None
    assert planned(Shape(rate_bps=10_000_000, delay_ms=400.0)).a_to_b.goodput is None
    assert planned(Shape(delay_ms=40.0)).a_to_b.goodput is None


def test_jitter_is_probed_so_far_apart_that_order_does_not_matter() -> None:
    plan = planned(Shape(delay_ms=50.0, jitter_ms=10.0))
    assert plan.a_to_b.jitter.pause_ns >= 30_000_000
    assert plan.round_trip_pause_ms >= 30


def test_fast_lines_are_measured_one_way_at_a_time_with_many_frames_at_once() -> None:
    assert planned(Shape(rate_bps=1_000_000_000)).rate_one_way_at_a_time
    assert not planned(Shape(rate_bps=100_000_000)).rate_one_way_at_a_time


def test_a_frame_on_the_transmitter() -> None:
    assert frame_ms(Shape(rate_bps=8_000_000), 958) == pytest.approx(1.0)
    assert frame_ms(Shape(), 958) == 0


def test_a_link_made_without_its_shape_is_still_asked_for_loss() -> None:
    slow = Link("l", "a", "b", Shape(rate_bps=1_000_000, delay_ms=5), Shape(rate_bps=1_000_000, delay_ms=5), ())
    plan = plan_link(slow, shaped=False)
    assert plan.a_to_b.loss is not None
    assert (plan.a_to_b.rate, plan.a_to_b.jitter, plan.a_to_b.goodput) == (None, None, None)
