"""The cable among real namespaces: it keeps its shapes, lives through a kill, changes live, and sees a router die."""

import signal

import pytest

from epolab.model.link import Link, Shape
from epolab.verify.measure import LinkEnds, Outcome, measure_links
from epolab.wan.driver import driver_named
from tests.integration.epolab_fabric.neighbourhood import Neighbourhood, shape, until

pytestmark = pytest.mark.integration

FAST = Shape(rate_bps=10_000_000, delay_ms=20.0)
LOSSY = Shape(rate_bps=2_000_000, delay_ms=30.0, loss_ratio=0.02)


def ends(name: str, declared: Shape, number: int) -> LinkEnds:
    link = Link(name, "a", "b", declared, declared, ())
    addresses = (f"100.64.{number}.1", f"100.64.{number}.2")
    return LinkEnds(link, driver_named("cable"), (f"{name}/a", f"{name}/b"), addresses)


def lay(around: Neighbourhood, name: str, declared: Shape) -> None:
    values = {key: getattr(declared, key) for key in ("rate_bps", "delay_ms", "jitter_ms", "loss_ratio", "queue_ms")}
    around.lay(name, there=shape(**values))


def measured(around: Neighbourhood, *wanted: LinkEnds) -> list[Outcome]:
    return measure_links(around, wanted, lambda _: None)


def complaints(outcome: Outcome) -> list[str]:
    return [breach.text for breach in outcome.verdict.breaches]


def test_two_links_keep_rate_delay_and_loss_within_the_certificates_bounds(neighbourhood: Neighbourhood) -> None:
    lay(neighbourhood, "fast", FAST)
    lay(neighbourhood, "lossy", LOSSY)
    fast, lossy = measured(neighbourhood, ends("fast", FAST, 1), ends("lossy", LOSSY, 2))
    assert (complaints(fast), complaints(lossy)) == ([], [])
    assert fast.seen.a_to_b.rate_bps == pytest.approx(10_000_000, rel=0.01)
    assert fast.seen.a_to_b.goodput_bps == pytest.approx(10_000_000 * 1448 / 1514, rel=0.03)
    assert lossy.seen.b_to_a.loss is not None
    assert lossy.seen.b_to_a.loss.lost > 0
    counted = neighbourhood.fabric.call("link_counters")
    assert counted["lossy"]["b_to_a"]["dropped"] >= lossy.seen.b_to_a.loss.lost
    assert counted["fast"]["a_to_b"]["bytes"] > 2_000_000


def test_a_shape_that_is_not_the_declared_one_is_told(neighbourhood: Neighbourhood) -> None:
    """The certificate must be able to say no: half the rate, more delay, loss that nobody declared."""
    lay(neighbourhood, "slow", Shape(rate_bps=5_000_000, delay_ms=20.0))
    lay(neighbourhood, "wrong", Shape(rate_bps=10_000_000, delay_ms=22.0, loss_ratio=0.05))
    slow, wrong = measured(neighbourhood, ends("slow", FAST, 1), ends("wrong", FAST, 2))
    assert any(text.startswith("rate a_to_b") for text in complaints(slow))
    told = " ".join(complaints(wrong))
    assert "delay a_to_b" in told
    assert "loss b_to_a" in told
    assert "mean round trip" in told


def test_a_killed_cable_carries_again_what_is_declared(neighbourhood: Neighbourhood) -> None:
    lay(neighbourhood, "fast", FAST)
    neighbourhood.cable.send_signal(signal.SIGKILL)
    neighbourhood.cable.wait()
    until(lambda: "NO-CARRIER" in neighbourhood.run_in("fast/a", "ip", "link", "show", "wan"), "the routers see it")
    assert "100.64.1.1/30" in neighbourhood.run_in("fast/a", "ip", "address", "show", "wan")
    neighbourhood.start_cable()
    until(lambda: neighbourhood.fabric.call("link_state")["fast"]["b"]["attached"], "the TAPs are held again")
    (again,) = measured(neighbourhood, ends("fast", FAST, 1))
    assert complaints(again) == []


def test_a_shape_changes_live_without_the_routers_noticing(neighbourhood: Neighbourhood) -> None:
    lay(neighbourhood, "live", FAST)
    before = neighbourhood.run_in("live/a", "ip", "-j", "link", "show", "wan")
    changed = Shape(rate_bps=4_000_000, delay_ms=5.0)
    lay(neighbourhood, "live", changed)
    assert neighbourhood.run_in("live/a", "ip", "-j", "link", "show", "wan") == before
    (after,) = measured(neighbourhood, ends("live", changed, 1))
    assert complaints(after) == []


def test_a_dead_router_lets_its_peer_know_and_its_successor_is_attached(neighbourhood: Neighbourhood) -> None:
    lay(neighbourhood, "link", FAST)
    neighbourhood.end("link/b")
    until(lambda: not neighbourhood.fabric.call("link_state")["link"]["b"]["attached"], "the router's end is seen")
    assert neighbourhood.fabric.call("link_state")["link"]["a"]["attached"]
    neighbourhood.node("link/b")
    lay(neighbourhood, "link", FAST)
    state = neighbourhood.fabric.call("link_state")["link"]
    assert (state["a"]["attached"], state["b"]["attached"]) == (True, True)


def test_a_removed_link_leaves_nothing_and_a_driver_can_be_exchanged(neighbourhood: Neighbourhood) -> None:
    lay(neighbourhood, "link", FAST)
    neighbourhood.lay("link", driver="none")
    assert "veth" in neighbourhood.run_in("link/a", "ip", "-d", "link", "show", "wan")
    lay(neighbourhood, "link", FAST)
    assert "tun type tap" in neighbourhood.run_in("link/a", "ip", "-d", "link", "show", "wan")
    neighbourhood.fabric.call("link_remove", name="link")
    neighbourhood.fabric.call("link_remove", name="link")
    assert "wan" not in neighbourhood.run_in("link/a", "ip", "link")
    assert neighbourhood.fabric.call("link_state") == {}


def test_a_link_that_cannot_be_made_is_not_there(neighbourhood: Neighbourhood) -> None:
    neighbourhood.node("link/a")
    neighbourhood.node("link/b")
    neighbourhood.end("link/b")
    with pytest.raises(Exception, match="no network namespace"):
        lay(neighbourhood, "link", FAST)
    assert neighbourhood.fabric.call("link_state") == {}
    assert "wan" not in neighbourhood.run_in("link/a", "ip", "link")
