from epolab.model.link import Link, Shape
from epolab.wan.choose import Choice, choose
from epolab.wan.driver import HostFacts

WITH_TUN, WITHOUT_TUN = HostFacts(tun=True, netem=False), HostFacts(tun=False, netem=False)
SHAPED = Shape(rate_bps=10_000_000, delay_ms=40.0)


def link(shape: Shape, *accept: str) -> Link:
    return Link("hq-tokyo", "hq", "tokyo", shape, shape, accept)


def test_a_shaped_link_is_a_cable_and_an_unshaped_one_is_plain() -> None:
    assert choose(link(SHAPED), WITH_TUN) == Choice("hq-tokyo", "cable", (), ())
    assert choose(link(Shape()), WITH_TUN) == Choice("hq-tokyo", "none", (), ())


def test_what_the_host_cannot_keep_is_refused() -> None:
    refused = choose(link(SHAPED), WITHOUT_TUN)
    assert not refused.possible
    assert refused.refused == ("rate", "delay")
    assert refused.reason == "link hq-tokyo: this host cannot keep its rate, delay"


def test_what_the_topology_accepts_is_degraded_and_said() -> None:
    assert choose(link(SHAPED, "rate", "delay"), WITHOUT_TUN) == Choice("hq-tokyo", "none", ("rate", "delay"), ())
    half = choose(link(SHAPED, "delay"), WITHOUT_TUN)
    assert (half.possible, half.degraded, half.refused) == (False, ("delay",), ("rate",))


def test_a_part_beyond_the_cable_costs_only_that_part() -> None:
    fast = Shape(rate_bps=10_000_000_000, delay_ms=40.0)
    assert choose(link(fast, "rate"), WITH_TUN) == Choice("hq-tokyo", "cable", ("rate",), ())
