"""The LINK documents of the contract: what is declared, what was measured; a missing measurement is null."""

from __future__ import annotations

from typing import Any

from epolab.model.link import Link, Shape
from epolab.wan.driver import Driver, shortfall
from epolab.wan.judge import Verdict
from epolab.wan.measured import DirectionFigures, LinkFigures

Document = dict[str, Any]


def declared_document(link: Link) -> Document:
    """Both directions' SHAPE as the topology has them."""
    return {"a_to_b": _shape(link.a_to_b), "b_to_a": _shape(link.b_to_a)}


def measured_document(seen: LinkFigures, at: str) -> Document:
    """The `measured` value of a LINK."""
    trips = seen.round_trips
    return {
        "a_to_b": _figures(seen.a_to_b),
        "b_to_a": _figures(seen.b_to_a),
        "rtt_ms": {
            "median": None if trips is None else round(trips.median_ms, 3),
            "p99": None if trips is None else round(trips.p99_ms, 3),
        },
        "at": at,
        "noise_ms": _rounded(seen.noise_ms, 3),
    }


def certificate_entry(link: Link, driver: Driver, seen: LinkFigures, verdict: Verdict, at: str) -> Document:
    """One link of the certificate: the measured figures, `within` and `degraded` beside them."""
    degraded = list(shortfall(link, driver))
    return {**measured_document(seen, at), "within": verdict.within, "degraded": degraded}


def detail_document(seen: LinkFigures, verdict: Verdict, tries: int) -> Document:
    """What stands behind a link's certificate: breaches, samples, goodput and by which congestion control."""
    trips = seen.round_trips
    return {
        "breaches": [breach.text for breach in verdict.breaches],
        "tries": tries,
        "stall_ms": _rounded(seen.stall_ms, 3),
        "rtt_mean_ms": None if trips is None else round(trips.mean_ms, 3),
        "rtt_sample": None if trips is None else trips.received,
        "congestion_control": seen.congestion_control,
        "a_to_b": _evidence(seen.a_to_b),
        "b_to_a": _evidence(seen.b_to_a),
    }


def _shape(shape: Shape) -> Document:
    return {
        "rate_bps": shape.rate_bps,
        "delay_ms": shape.delay_ms,
        "jitter_ms": shape.jitter_ms,
        "loss_ratio": shape.loss_ratio,
    }


def _figures(seen: DirectionFigures) -> Document:
    return {
        "rate_bps": None if seen.rate_bps is None else round(seen.rate_bps),
        "delay_ms": _rounded(seen.delay_ms, 3),
        "jitter_ms": _rounded(seen.jitter_ms, 3),
        "loss_ratio": None if seen.loss is None else seen.loss.ratio,
    }


def _evidence(seen: DirectionFigures) -> Document:
    return {
        "loss_sample": None if seen.loss is None else seen.loss.sample,
        "lost": None if seen.loss is None else seen.loss.lost,
        "goodput_bps": None if seen.goodput_bps is None else round(seen.goodput_bps),
    }


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
