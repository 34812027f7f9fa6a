"""What to send over a link to measure it: counts, sizes, pauses and patience of each flow, from its declaration."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log2

from epolab.model.link import Link, Shape
from epolab.wan.binomial import sample_size
from epolab.wan.driver import FULL_FRAME_BYTES

# Ethernet, IPv4 and UDP headers: what a payload grows by on the line.
HEADER_BYTES = 14 + 20 + 8
SEGMENT_BYTES = 1448
FULL_PAYLOAD_BYTES = FULL_FRAME_BYTES - HEADER_BYTES
TIMED_PAYLOAD_BYTES = 14
SMALL_PAYLOAD_BYTES = 6

ROUND_TRIPS = 200
ROUND_TRIP_PAUSE_MS = 8.0
PLAIN_ROUND_TRIP_PAUSE_MS = 4.0
JITTER_SAMPLE = 600
JITTER_SECONDS_LIMIT = 20.0
RATE_SECONDS = 2.0
RATE_EXCESS = 1.03
FIRST_BURST_OF_QUEUE = 0.5
# A datagram that waited for this part of the queue found the line busy.
BUSY_OF_QUEUE = 0.1
LOSS_OF_RATE = 0.9
LOSSLESS_SAMPLE = 2000
LOSS_SECONDS_LIMIT = 25.0
FRAMES_PER_SECOND_LIMIT = 8000
GOODPUT_SECONDS = 1.2
GOODPUT_WARM_LIMIT_SECONDS = 3.0
GOODPUT_RATE_LIMIT_BPS = 200_000_000
# Above this, two directions at once are more than two cores can send and receive in Python.
ONE_WAY_RATE_BPS = 100_000_000


@dataclass(frozen=True, slots=True)
class FlowPlan:
    """Datagrams in one direction: how many, how large, how far apart, how many at once at the start."""

    count: int
    payload_bytes: int
    pause_ns: int
    burst: int = 0
    # Late datagrams are sent after one another only up to here: a queue must not overflow by our own stumbling.
    catch_up_ns: int = 50_000_000
    at_once: int = 1
    # Each datagram carries its time of sending; with `busy_ns` only to tell whether it waited for the line.
    timed: bool = False
    busy_ns: int = 0

    @property
    def seconds(self) -> float:
        """How long sending takes."""
        return self.count * self.pause_ns / 1e9


@dataclass(frozen=True, slots=True)
class GoodputPlan:
    """One TCP stream: how long until it fills the line, how long it is measured, how much may be under way."""

    warm_seconds: float
    seconds: float
    window_bytes: int


@dataclass(frozen=True, slots=True)
class DirectionPlan:
    """What is measured in one direction; None where there is nothing to measure or the line cannot be filled."""

    loss: FlowPlan | None
    jitter: FlowPlan | None
    rate: FlowPlan | None
    goodput: GoodputPlan | None


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """What is measured of a link; `patience_seconds` is how long the last datagram may take."""

    round_trips: int
    round_trip_pause_ms: float
    patience_seconds: float
    a_to_b: DirectionPlan
    b_to_a: DirectionPlan

    @property
    def rate_one_way_at_a_time(self) -> bool:
        """Whether the directions' rates are measured one after the other."""
        flows = (self.a_to_b.rate, self.b_to_a.rate)
        return any(flow is not None and flow.at_once > 1 for flow in flows)


def plan_link(link: Link, *, shaped: bool) -> LinkPlan:
    """The plan for a link; one made without a shape is asked for round trips and for loss."""
    round_trip = link.a_to_b.delay_ms + link.b_to_a.delay_ms
    patience = 0.5 + (round_trip + max(link.a_to_b.queue_ms, link.b_to_a.queue_ms)) / 1000
    if not shaped:
        bare = DirectionPlan(_plan_loss(Shape()), None, None, None)
        return LinkPlan(ROUND_TRIPS, PLAIN_ROUND_TRIP_PAUSE_MS, patience, bare, bare)
    pause = max(ROUND_TRIP_PAUSE_MS, *(_probe_pause_ms(shape) for shape in (link.a_to_b, link.b_to_a)))
    clean = not any(shape.loss_ratio or shape.jitter_ms for shape in (link.a_to_b, link.b_to_a))
    there, back = (_plan_direction(it, round_trip, fills=clean) for it in (link.a_to_b, link.b_to_a))
    return LinkPlan(ROUND_TRIPS, pause, patience, there, back)


def frame_ms(shape: Shape, payload_bytes: int) -> float:
    """How long a datagram is on the transmitter of a line."""
    return 0.0 if shape.rate_bps is None else (payload_bytes + HEADER_BYTES) * 8000 / shape.rate_bps


def _probe_pause_ms(shape: Shape) -> float:
    """Probes far enough apart that they neither queue behind one another nor are put in order by their jitter."""
    return max(4 * frame_ms(shape, TIMED_PAYLOAD_BYTES), 3 * shape.jitter_ms)


def _plan_direction(shape: Shape, round_trip_ms: float, *, fills: bool) -> DirectionPlan:
    goodput = _plan_goodput(shape, round_trip_ms) if fills else None
    return DirectionPlan(_plan_loss(shape), _plan_jitter(shape), _plan_rate(shape), goodput)


def _plan_loss(shape: Shape) -> FlowPlan:
    frames_per_second = float(FRAMES_PER_SECOND_LIMIT)
    if shape.rate_bps is not None:
        bits = (SMALL_PAYLOAD_BYTES + HEADER_BYTES) * 8
        frames_per_second = min(frames_per_second, shape.rate_bps * LOSS_OF_RATE / bits)
    wanted = sample_size(shape.loss_ratio) if shape.loss_ratio else LOSSLESS_SAMPLE
    count = min(wanted, int(LOSS_SECONDS_LIMIT * frames_per_second))
    return FlowPlan(count, SMALL_PAYLOAD_BYTES, int(1e9 / frames_per_second), catch_up_ns=_catch_up_ns(shape))


def _catch_up_ns(shape: Shape) -> int:
    return int(shape.queue_ms * 1e6 / 4)


def _plan_jitter(shape: Shape) -> FlowPlan | None:
    if not shape.jitter_ms:
        return None
    pause_ms = max(ROUND_TRIP_PAUSE_MS / 2, _probe_pause_ms(shape))
    count = min(JITTER_SAMPLE, int(JITTER_SECONDS_LIMIT * 1000 / pause_ms))
    return FlowPlan(count, TIMED_PAYLOAD_BYTES, int(pause_ms * 1e6), catch_up_ns=0, timed=True)


def _plan_rate(shape: Shape) -> FlowPlan | None:
    if shape.rate_bps is None:
        return None
    per_second = shape.rate_bps / 8 / FULL_FRAME_BYTES
    seconds = RATE_SECONDS if shape.rate_bps <= ONE_WAY_RATE_BPS else RATE_SECONDS / 2
    count = max(40, ceil(seconds * per_second * RATE_EXCESS))
    burst = max(2, min(1000, int(FIRST_BURST_OF_QUEUE * shape.queue_ms / 1000 * per_second)))
    at_once = 1 if shape.rate_bps <= ONE_WAY_RATE_BPS else 32
    pause_ns = int(1e9 / per_second / RATE_EXCESS)
    queue_ns = int(shape.queue_ms * 1e6)
    return FlowPlan(
        count=count + burst,
        payload_bytes=FULL_PAYLOAD_BYTES,
        pause_ns=pause_ns,
        burst=burst,
        catch_up_ns=queue_ns // 2,
        at_once=at_once,
        timed=True,
        busy_ns=max(1, int(queue_ns * BUSY_OF_QUEUE)),
    )


def _plan_goodput(shape: Shape, round_trip_ms: float) -> GoodputPlan | None:
    if shape.rate_bps is None or shape.rate_bps > GOODPUT_RATE_LIMIT_BPS:
        return None
    product = shape.rate_bps / 8 * round_trip_ms / 1000
    window = int(product + shape.rate_bps / 8 * shape.queue_ms / 2000) + 4 * FULL_FRAME_BYTES
    rounds = 3 + max(0.0, log2(max(1.0, window / (10 * SEGMENT_BYTES))))
    warm = 0.2 + (rounds * round_trip_ms + shape.queue_ms) / 1000
    return GoodputPlan(warm, GOODPUT_SECONDS, window) if warm <= GOODPUT_WARM_LIMIT_SECONDS else None
