"""Links from the file: shapes per direction, names and defaults."""

from __future__ import annotations

from decimal import Decimal

from epolab.model.link import DEFAULT_QUEUE_MS, Link, Shape
from epolab.topology.report import Located
from epolab.topology.v1 import LinkFile, ShapeFile

FRAME_BYTES = 1514


def link_name(link: LinkFile) -> str:
    """The name of a link: as given, else both sites."""
    if link.name:
        return link.name.value
    return "-".join(site.value for site in link.between.value) if link.between else ""


def resolve_link(link: LinkFile) -> Link:
    """One link with both directions filled in; `between` must be known."""
    a, b = (site.value for site in link.between.value) if link.between else ("", "")
    return Link(
        name=link_name(link),
        a=a,
        b=b,
        a_to_b=shape(link, link.a_to_b.value if link.a_to_b else None),
        b_to_a=shape(link, link.b_to_a.value if link.b_to_a else None),
        accept=tuple(word.value for word in link.accept.value) if link.accept else (),
    )


def shape(link: LinkFile, own: ShapeFile | None) -> Shape:
    """One direction: its own values where given, else those of the link."""
    rate = _value(own.rate if own and own.rate else link.rate)
    rate_bps = None if rate is None else int(rate)
    queue = _value(own.queue if own and own.queue else link.queue)
    return Shape(
        rate_bps=rate_bps,
        delay_ms=float(_value(own.delay if own and own.delay else link.delay) or 0),
        jitter_ms=float(_value(own.jitter if own and own.jitter else link.jitter) or 0),
        loss_ratio=float(_value(own.loss if own and own.loss else link.loss) or 0),
        queue_ms=default_queue_ms(rate_bps) if queue is None else float(queue),
    )


def _value(amount: Located[Decimal] | None) -> Decimal | None:
    return None if amount is None else amount.value


def frame_ms(rate_bps: int) -> float:
    """How long one full frame takes at a rate."""
    return FRAME_BYTES * 8 * 1000 / rate_bps


def default_queue_ms(rate_bps: int | None) -> float:
    """200 ms, or the time of four full frames on a line so thin that they take longer."""
    return DEFAULT_QUEUE_MS if rate_bps is None else max(DEFAULT_QUEUE_MS, round(4 * frame_ms(rate_bps), 3))
