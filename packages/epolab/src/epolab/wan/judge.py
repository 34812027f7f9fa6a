"""Whether what was measured keeps the declaration: the bounds of the WAN certificate, and what breaks them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

from epolab.model.link import Link, Shape
from epolab.wan.binomial import loss_is_as_declared
from epolab.wan.driver import FULL_FRAME_BYTES, Driver, Quality, wanted
from epolab.wan.measured import ECHO_PAYLOAD_BYTES, FIGURES, DirectionFigures, Figure, LinkFigures, RoundTrips
from epolab.wan.plan import SEGMENT_BYTES, frame_ms

RATE_BOUND = 0.01
ROUND_TRIP_MEAN_BOUND_MS = 0.5
ROUND_TRIP_P99_BOUND_MS = 5.0
JITTER_BOUND = 0.10
GOODPUT_LOW, GOODPUT_HIGH = 0.97, 1.01
# More than this and a bound that is broken says more about the machine than about the link.
NOISE_LIMIT_MS = 0.5
# A program that is held up for so long spoils the 99th percentile of a series all by itself.
STALL_LIMIT_MS = ROUND_TRIP_P99_BOUND_MS
# How far sampling alone may move the mean of a jittered series (standard errors).
SAMPLING_DEVIATIONS = 4.0
# The 99th percentile of a normal distribution, in standard deviations.
NORMAL_P99 = 2.33


@dataclass(frozen=True, slots=True)
class Breach:
    """One figure outside its bound, for people; `direction` is a_to_b, b_to_a or None for the round trip."""

    figure: str
    direction: str | None
    expected: str
    observed: str

    @property
    def text(self) -> str:
        """The breach in one line."""
        return f"{self.figure}{f' {self.direction}' if self.direction else ''}: {self.expected}, not {self.observed}"


# Which measurement a broken bound wants again; any other breach wants them all.
_MEASURED_BY: dict[str, Figure] = {
    "rate": "rate",
    "TCP goodput": "goodput",
    "delay": "round_trips",
    "mean round trip": "round_trips",
    "99th percentile of round trips": "round_trips",
    "loss": "loss",
    "jitter": "jitter",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a link keeps its declaration, and if not, by what."""

    breaches: tuple[Breach, ...]

    @property
    def within(self) -> bool:
        """Whether every judged figure is within its bound."""
        return not self.breaches

    @property
    def doubtful(self) -> tuple[Figure, ...]:
        """What would have to be measured again to clear the link."""
        wanted_again = {_MEASURED_BY.get(breach.figure) for breach in self.breaches}
        return FIGURES if None in wanted_again else tuple(it for it in FIGURES if it in wanted_again)


def judge(link: Link, driver: Driver, seen: LinkFigures) -> Verdict:
    """The verdict on a link; what is asked for and the driver does not honour is not judged.

    A plain link asks for nothing, so it may neither lose nor hold up anything.
    """
    if seen.round_trips is None:
        return Verdict((Breach("reachability", None, "answers from the other end", "none"),))
    kept = {"a_to_b": driver.honours(link.a_to_b), "b_to_a": driver.honours(link.b_to_a)}
    breaches = list(_judge_direction("a_to_b", link.a_to_b, kept["a_to_b"], seen.a_to_b))
    breaches += _judge_direction("b_to_a", link.b_to_a, kept["b_to_a"], seen.b_to_a)
    if all("delay" in kept[side] or "delay" not in wanted(shape) for side, shape in _sides(link)):
        breaches += _judge_round_trips(link, seen.round_trips)
    return Verdict(tuple(breaches))


def is_too_noisy(seen: LinkFigures, verdict: Verdict) -> bool:
    """Whether the machine was too noisy for the breaches to mean anything; a single stall delays, and loses nothing."""
    if (seen.noise_ms or 0.0) > NOISE_LIMIT_MS:
        return True
    return (seen.stall_ms or 0.0) > STALL_LIMIT_MS and "loss" not in verdict.doubtful


def noise_breach(seen: LinkFigures) -> Breach:
    """The machine's noise as what keeps a link from being cleared."""
    seen_noise = f"{seen.noise_ms or 0.0:.1f} ms, at worst {seen.stall_ms or 0.0:.1f} ms"
    return Breach("scheduling noise of this machine", None, "a quiet machine", seen_noise)


def expected_round_trip_ms(link: Link) -> float:
    """The declared round trip of an echo: both delays, and its time on both transmitters."""
    delays = link.a_to_b.delay_ms + link.b_to_a.delay_ms
    return delays + frame_ms(link.a_to_b, ECHO_PAYLOAD_BYTES) + frame_ms(link.b_to_a, ECHO_PAYLOAD_BYTES)


def _sides(link: Link) -> tuple[tuple[str, Shape], tuple[str, Shape]]:
    return ("a_to_b", link.a_to_b), ("b_to_a", link.b_to_a)


def _judge_round_trips(link: Link, seen: RoundTrips) -> Iterator[Breach]:
    expected = expected_round_trip_ms(link)
    jitter = sqrt(link.a_to_b.jitter_ms**2 + link.b_to_a.jitter_ms**2)
    bound = ROUND_TRIP_MEAN_BOUND_MS + SAMPLING_DEVIATIONS * jitter / sqrt(seen.received)
    if abs(seen.mean_ms - expected) > bound:
        yield Breach("mean round trip", None, f"{expected:.2f} ± {bound:.2f} ms", f"{seen.mean_ms:.2f} ms")
    limit = expected + ROUND_TRIP_P99_BOUND_MS + (NORMAL_P99 + 1) * jitter
    if seen.p99_ms > limit:
        yield Breach("99th percentile of round trips", None, f"at most {limit:.2f} ms", f"{seen.p99_ms:.2f} ms")


def _judge_direction(
    direction: str, shape: Shape, kept: frozenset[Quality], seen: DirectionFigures
) -> Iterator[Breach]:
    yield from _judge_rate(direction, shape, kept, seen)
    if "delay" in kept or "delay" not in wanted(shape):
        yield from _judge_delay(direction, shape, seen)
    if "loss" in kept or "loss" not in wanted(shape):
        yield from _judge_loss(direction, shape, seen)
    if "jitter" in kept:
        yield from _judge_jitter(direction, shape, seen)


def _judge_rate(direction: str, shape: Shape, kept: frozenset[Quality], seen: DirectionFigures) -> Iterator[Breach]:
    if shape.rate_bps is None or "rate" not in kept:
        return
    if seen.rate_bps is None:
        yield Breach("rate", direction, f"{_mbit(shape.rate_bps)} ± 1 %", "no measurement")
    elif abs(seen.rate_bps / shape.rate_bps - 1) > RATE_BOUND:
        yield Breach("rate", direction, f"{_mbit(shape.rate_bps)} ± 1 %", _mbit(seen.rate_bps))
    if seen.goodput_bps is not None:
        possible = shape.rate_bps * SEGMENT_BYTES / FULL_FRAME_BYTES
        if not GOODPUT_LOW <= seen.goodput_bps / possible <= GOODPUT_HIGH:
            yield Breach("TCP goodput", direction, f"{_mbit(possible)} -3/+1 %", _mbit(seen.goodput_bps))


def _judge_delay(direction: str, shape: Shape, seen: DirectionFigures) -> Iterator[Breach]:
    bound = ROUND_TRIP_MEAN_BOUND_MS + SAMPLING_DEVIATIONS * shape.jitter_ms / 10
    if seen.delay_ms is not None and abs(seen.delay_ms - shape.delay_ms) > bound:
        yield Breach("delay", direction, f"{shape.delay_ms:g} ± {bound:.2f} ms", f"{seen.delay_ms:.2f} ms")


def _judge_loss(direction: str, shape: Shape, seen: DirectionFigures) -> Iterator[Breach]:
    if seen.loss is None:
        yield Breach("loss", direction, f"{shape.loss_ratio:.3%}", "no measurement")
    elif not loss_is_as_declared(seen.loss.lost, seen.loss.sample, shape.loss_ratio):
        observed = f"{seen.loss.lost} of {seen.loss.sample} ({seen.loss.ratio:.3%})"
        yield Breach("loss", direction, f"{shape.loss_ratio:.3%}", observed)


def _judge_jitter(direction: str, shape: Shape, seen: DirectionFigures) -> Iterator[Breach]:
    if seen.jitter_ms is None or abs(seen.jitter_ms / shape.jitter_ms - 1) > JITTER_BOUND:
        observed = "no measurement" if seen.jitter_ms is None else f"{seen.jitter_ms:.2f} ms"
        yield Breach("jitter", direction, f"{shape.jitter_ms:g} ms ± 10 %", observed)


def _mbit(bits_per_second: float) -> str:
    return f"{bits_per_second / 1e6:.4g} Mbit/s"
