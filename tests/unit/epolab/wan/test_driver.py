import pytest

from epolab.model.link import Link, Shape
from epolab.wan.driver import HostFacts, PlainVeth, UserspaceCable, as_kept, driver_named, shortfall, wanted

FULL = Shape(rate_bps=10_000_000, delay_ms=40.0, jitter_ms=5.0, loss_ratio=0.001)


def test_what_a_shape_asks_for() -> None:
    assert wanted(Shape()) == frozenset()
    assert wanted(FULL) == {"rate", "delay", "jitter", "loss"}


@pytest.mark.parametrize(
    ("shape", "missing"),
    [
        (FULL, ()),
        (Shape(rate_bps=2_000_000_000, delay_ms=1.0), ("rate",)),
        (Shape(rate_bps=64_000, queue_ms=100.0), ("rate",)),
        (Shape(delay_ms=4.0, jitter_ms=3.0), ("jitter",)),
        (Shape(jitter_ms=1.0), ("jitter",)),
    ],
)
def test_what_the_cable_falls_short_of(shape: Shape, missing: tuple[str, ...]) -> None:
    assert shortfall(Link("l", "a", "b", shape, Shape(), ()), UserspaceCable()) == missing


def test_a_plain_link_keeps_nothing_and_works_everywhere() -> None:
    assert shortfall(Link("l", "a", "b", Shape(), FULL, ()), PlainVeth()) == ("rate", "delay", "jitter", "loss")
    assert PlainVeth().works_on(HostFacts(tun=False, netem=False))
    assert not UserspaceCable().works_on(HostFacts(tun=False, netem=True))


def test_drivers_are_found_by_the_name_that_documents_use() -> None:
    assert driver_named("cable") == UserspaceCable()
    assert driver_named("none") == PlainVeth()


def test_a_rate_that_is_not_kept_takes_no_time_on_the_line() -> None:
    link = Link("l", "a", "b", Shape(rate_bps=1_000_000, delay_ms=5), Shape(), ())
    assert as_kept(link, UserspaceCable()) == link
    assert as_kept(link, PlainVeth()).a_to_b == Shape(delay_ms=5)
