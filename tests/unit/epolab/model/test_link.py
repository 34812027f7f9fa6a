import pytest

from epolab.model.link import Link, Shape


def test_a_link_without_shape_is_a_cable_at_lan_speed() -> None:
    assert not Link("x", "a", "b", Shape(), Shape(), ()).shaped


@pytest.mark.parametrize(
    "shape", [Shape(rate_bps=1), Shape(delay_ms=1), Shape(delay_ms=2, jitter_ms=1), Shape(loss_ratio=0.1)]
)
def test_one_shaped_direction_makes_a_shaped_link(shape: Shape) -> None:
    assert Link("x", "a", "b", Shape(), shape, ()).shaped


def test_a_queue_alone_shapes_nothing() -> None:
    assert not Shape(queue_ms=50).shaped


def test_a_link_knows_its_ends() -> None:
    link = Link("x", "a", "b", Shape(), Shape(), ())
    assert (link.peer("a"), link.peer("b"), link.ends) == ("b", "a", ("a", "b"))
    assert link.joins("a") and link.joins("b") and not link.joins("c")
