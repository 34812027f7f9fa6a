"""What was seen of a link, as figures: made from the answers of the programs at its two ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Any, Literal

from epolab.model.link import Shape
from epolab.wan.plan import HEADER_BYTES, frame_ms

# The payload of an echo (probe_program.ECHO).
ECHO_PAYLOAD_BYTES = 28
# Fewer neighbours than this say nothing about a rate: the line was flooded or is all but dead.
PAIRS_NEEDED = 10

# What is measured together, in this order.
Figure = Literal["round_trips", "loss", "jitter", "rate", "goodput"]
FIGURES: tuple[Figure, ...] = ("round_trips", "loss", "jitter", "rate", "goodput")

RoundTripSeries = Sequence[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class RoundTrips:
    """A series of small datagrams to the other end and back, in milliseconds."""

    median_ms: float
    p99_ms: float
    mean_ms: float
    sent: int
    received: int


@dataclass(frozen=True, slots=True)
class Loss:
    """How many of a sample were lost."""

    lost: int
    sample: int

    @property
    def ratio(self) -> float:
        """The lost part of the sample."""
        return self.lost / self.sample


@dataclass(frozen=True, slots=True)
class DirectionFigures:
    """One direction as it was seen; None is a figure that was not measured."""

    rate_bps: float | None = None
    delay_ms: float | None = None
    jitter_ms: float | None = None
    loss: Loss | None = None
    goodput_bps: float | None = None


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """A link as it was seen, and how noisy the machine was meanwhile: as a rule, and at its worst moment."""

    a_to_b: DirectionFigures
    b_to_a: DirectionFigures
    round_trips: RoundTrips | None = None
    noise_ms: float | None = None
    congestion_control: str | None = None
    stall_ms: float | None = None


def percentile(values: Sequence[float], ratio: float) -> float:
    """The value below which this part of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(ratio * len(ordered)))]


def round_trips_of(answer: Mapping[str, Any]) -> RoundTrips | None:
    """The round trips of a series; None when nothing came back."""
    times = [there_and_back / 1e6 for there_and_back, _, _ in answer["series"]]
    if not times:
        return None
    return RoundTrips(median(times), percentile(times, 0.99), fmean(times), answer["sent"], len(times))


def one_way_ms(series: RoundTripSeries, place: int, shape: Shape) -> list[float]:
    """The one-way delays of a series without the datagram's own time on the transmitter (1 = there, 2 = back)."""
    on_transmitter = frame_ms(shape, ECHO_PAYLOAD_BYTES)
    return [times[place] / 1e6 - on_transmitter for times in series]


def rate_of(arrivals: Mapping[str, Any], payload_bytes: int) -> float | None:
    """The wire rate of a flow that kept its line busy: neighbours are as far apart as a frame takes to send.

    Neighbours with a lost one between them are left out, so that neither the line's loss nor its full queue counts.
    """
    bits = (payload_bytes + HEADER_BYTES) * 8
    if arrivals["pairs"] >= PAIRS_NEEDED and arrivals["pair_ns"] > 0:
        return float(arrivals["pairs"] * bits * 1e9 / arrivals["pair_ns"])
    if arrivals["received"] > 1 and arrivals["spread_ns"] > 0:
        return float((arrivals["received"] - 1) * bits * 1e9 / arrivals["spread_ns"])
    return None


def loss_of(sent: int, arrivals: Mapping[str, Any]) -> Loss | None:
    """What was lost of a flow."""
    return Loss(sent - arrivals["received"], sent) if sent else None


def deviation(values: Sequence[float]) -> float | None:
    """The standard deviation of a series, if it is one."""
    return stdev(values) if len(values) > 1 else None


def goodput_of(answer: Mapping[str, Any]) -> float | None:
    """The payload rate of a TCP stream."""
    return answer["bytes"] * 8 / answer["seconds"] if answer["seconds"] > 0 else None


def noise_of(answers: Sequence[Mapping[str, Any]]) -> float | None:
    """The machine's scheduling noise: the worst 99th percentile of oversleeping (series too short say nothing)."""
    return max((it["p99_ms"] for it in _series(answers) if it["sample"] >= PAIRS_NEEDED), default=None)


def stall_of(answers: Sequence[Mapping[str, Any]]) -> float | None:
    """The longest time that a program was held up, which a percentile does not show; one may spoil many datagrams."""
    return max((it["max_ms"] for it in _series(answers)), default=None)


def _series(answers: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    late = [it["oversleep"] for it in answers if "oversleep" in it]
    return [it for it in late if it["p99_ms"] is not None]
