from dataclasses import replace

import pytest

from epolab.model.link import Link, Shape
from epolab.wan.driver import PlainVeth, UserspaceCable
from epolab.wan.judge import expected_round_trip_ms, is_too_noisy, judge, noise_breach
from epolab.wan.measured import FIGURES, DirectionFigures, LinkFigures, Loss, RoundTrips

SHAPE = Shape(rate_bps=10_000_000, delay_ms=40.0)
LINK = Link("hq-tokyo", "hq", "tokyo", SHAPE, SHAPE, ())
GOOD = DirectionFigures(10_000_000, 40.1, 0.1, Loss(0, 2000), 9_560_000)
SEEN = LinkFigures(GOOD, GOOD, RoundTrips(80.3, 80.9, 80.35, 200, 200), 0.2, "cubic")


def texts(seen: LinkFigures, link: Link = LINK) -> list[str]:
    return [breach.text for breach in judge(link, UserspaceCable(), seen).breaches]


def there(**values: object) -> LinkFigures:
    return replace(SEEN, a_to_b=replace(GOOD, **values))  # type: ignore[arg-type]


def test_what_keeps_its_bounds_is_within() -> None:
    assert judge(LINK, UserspaceCable(), SEEN).within


def test_the_expected_round_trip_counts_the_echo_on_both_transmitters() -> None:
    assert expected_round_trip_ms(LINK) == pytest.approx(80.112)


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        (there(rate_bps=10_110_000), "rate a_to_b: 10 Mbit/s ± 1 %, not 10.11 Mbit/s"),
        (there(rate_bps=9_890_000), "rate a_to_b: 10 Mbit/s ± 1 %, not 9.89 Mbit/s"),
        (there(rate_bps=None), "rate a_to_b: 10 Mbit/s ± 1 %, not no measurement"),
        (there(delay_ms=40.6), "delay a_to_b: 40 ± 0.50 ms, not 40.60 ms"),
        (there(delay_ms=39.4), "delay a_to_b: 40 ± 0.50 ms, not 39.40 ms"),
        (there(loss=Loss(1, 2000)), "loss a_to_b: 0.000%, not 1 of 2000 (0.050%)"),
        (there(loss=None), "loss a_to_b: 0.000%, not no measurement"),
        (there(goodput_bps=9_200_000), "TCP goodput a_to_b: 9.564 Mbit/s -3/+1 %, not 9.2 Mbit/s"),
        (
            replace(SEEN, round_trips=RoundTrips(80.7, 81, 80.7, 200, 200)),
            "mean round trip: 80.11 ± 0.50 ms, not 80.70 ms",
        ),
        (
            replace(SEEN, round_trips=RoundTrips(80.3, 85.2, 80.3, 200, 200)),
            "99th percentile of round trips: at most 85.11 ms, not 85.20 ms",
        ),
        (replace(SEEN, round_trips=None), "reachability: answers from the other end, not none"),
    ],
)
def test_each_broken_bound_is_told_by_what_was_expected_and_seen(seen: LinkFigures, text: str) -> None:
    assert texts(seen) == [text]


def test_a_missing_goodput_is_no_breach() -> None:
    assert texts(there(goodput_bps=None)) == []


def test_declared_loss_and_jitter_are_judged() -> None:
    shape = replace(SHAPE, loss_ratio=0.01, jitter_ms=5.0)
    link = replace(LINK, a_to_b=shape)
    kept = there(loss=Loss(38, 3758), jitter_ms=5.3)
    assert texts(kept, link) == []
    broken = there(loss=Loss(80, 3758), jitter_ms=5.6)
    assert texts(broken, link) == [
        "loss a_to_b: 1.000%, not 80 of 3758 (2.129%)",
        "jitter a_to_b: 5 ms ± 10 %, not 5.60 ms",
    ]


PLAIN = replace(LINK, a_to_b=Shape(), b_to_a=Shape())
PROMPT = DirectionFigures(delay_ms=0.05, jitter_ms=0.02, loss=Loss(0, 2000))
BARE = LinkFigures(PROMPT, PROMPT, RoundTrips(0.1, 0.4, 0.1, 200, 200), 0.2)


def test_a_plain_link_that_neither_loses_nor_holds_up_is_within() -> None:
    assert judge(PLAIN, PlainVeth(), BARE).within


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        (replace(BARE, round_trips=None), "reachability: answers from the other end, not none"),
        (replace(BARE, a_to_b=replace(PROMPT, loss=Loss(1, 2000))), "loss a_to_b: 0.000%, not 1 of 2000 (0.050%)"),
        (replace(BARE, b_to_a=replace(PROMPT, loss=None)), "loss b_to_a: 0.000%, not no measurement"),
        (replace(BARE, b_to_a=replace(PROMPT, delay_ms=500.0)), "delay b_to_a: 0 ± 0.50 ms, not 500.00 ms"),
        (
            replace(BARE, round_trips=RoundTrips(0.6, 0.9, 0.6, 200, 200)),
            "mean round trip: 0.00 ± 0.50 ms, not 0.60 ms",
        ),
        (
            replace(BARE, round_trips=RoundTrips(0.1, 5.2, 0.3, 200, 200)),
            "99th percentile of round trips: at most 5.00 ms, not 5.20 ms",
        ),
    ],
)
def test_a_plain_link_is_judged_for_loss_and_delay(seen: LinkFigures, text: str) -> None:
    assert [breach.text for breach in judge(PLAIN, PlainVeth(), seen).breaches] == [text]


def test_what_the_driver_does_not_keep_is_not_judged() -> None:
    accepted = replace(LINK, accept=("rate", "delay"))
    bare = LinkFigures(
        DirectionFigures(loss=Loss(0, 100)), DirectionFigures(loss=Loss(0, 100)), RoundTrips(0.1, 0.2, 0.1, 50, 50)
    )
    assert judge(accepted, PlainVeth(), bare).within


def test_what_is_in_doubt_is_what_would_be_measured_again() -> None:
    assert judge(LINK, UserspaceCable(), SEEN).doubtful == ()
    assert judge(LINK, UserspaceCable(), there(rate_bps=1, delay_ms=1.0)).doubtful == ("round_trips", "rate")
    assert judge(LINK, UserspaceCable(), replace(SEEN, round_trips=None)).doubtful == FIGURES


def test_noise_is_named_by_its_limit() -> None:
    late = judge(LINK, UserspaceCable(), there(delay_ms=41.0))
    assert not is_too_noisy(SEEN, late)
    assert is_too_noisy(replace(SEEN, noise_ms=0.6), late)
    assert not is_too_noisy(replace(SEEN, noise_ms=None), late)


def test_a_stall_that_no_percentile_shows_is_noise_and_loses_nothing() -> None:
    stalled = replace(SEEN, stall_ms=5.1)
    assert is_too_noisy(stalled, judge(LINK, UserspaceCable(), there(delay_ms=41.0)))
    assert not is_too_noisy(replace(SEEN, stall_ms=4.9), judge(LINK, UserspaceCable(), there(delay_ms=41.0)))
    assert not is_too_noisy(stalled, judge(LINK, UserspaceCable(), there(loss=Loss(1, 2000))))
    text = "scheduling noise of this machine: a quiet machine, not 0.2 ms, at worst 5.1 ms"
    assert noise_breach(stalled).text == text
