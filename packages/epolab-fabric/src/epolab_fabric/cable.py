"""The shaping model, pure: what a line does to each frame, on a clock and a randomness that the caller hands in.

A line is a transmitter with a queue in front and a distance behind it (times are integer nanoseconds of any clock):
a frame leaves at max(now, when the line is free) + bytes x 8 / rate; a frame that would wait longer than the queue
limit is dropped; what left may be lost, and arrives after the delay and its jitter.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Generic, TypeVar

MILLISECOND = 1_000_000
SECOND = 1_000_000_000
# Jitter is a normal distribution cut here (standard deviations), so that a delay cannot run away.
JITTER_CUT = 3.0

Target = TypeVar("Target")


@dataclass(slots=True)
class Counters:
    """What a line did since it was made: frames handed over at the far end, and frames that never got there."""

    bytes: int = 0
    packets: int = 0
    dropped: int = 0


class Line:
    """One direction of a link; its shape may change at any time and holds from the next frame on."""

    __slots__ = (
        "_delay_ns",
        "_free_at",
        "_jitter_ns",
        "_last_arrival",
        "_loss_ratio",
        "_queue_ns",
        "_random",
        "_rate_bps",
        "_reorder",
        "counters",
    )

    def __init__(self, random: Random) -> None:
        self._random = random
        self._free_at = self._last_arrival = 0
        self.counters = Counters()
        self.reshape()

    def reshape(
        self,
        rate_bps: int | None = None,
        delay_ms: float = 0.0,
        jitter_ms: float = 0.0,
        loss_ratio: float = 0.0,
        queue_ms: float = 0.0,
        reorder: bool = False,
    ) -> None:
        """Give the line another shape; what is under way keeps the arrival it has."""
        self._rate_bps = rate_bps
        self._delay_ns = round(delay_ms * MILLISECOND)
        self._jitter_ns = jitter_ms * MILLISECOND
        self._loss_ratio = loss_ratio
        self._queue_ns = round(queue_ms * MILLISECOND)
        self._reorder = reorder

    def offer(self, now: int, size: int) -> int | None:
        """When a frame of `size` bytes offered now arrives at the far end; None if it never does."""
        departure = now
        if self._rate_bps:
            start = max(now, self._free_at)
            if start - now > self._queue_ns:
                self.counters.dropped += 1
                return None
            departure = self._free_at = start + size * 8 * SECOND // self._rate_bps
        if self._loss_ratio and self._random.random() < self._loss_ratio:
            self.counters.dropped += 1
            return None
        return self._arrival(departure)

    def delivered(self, size: int) -> None:
        """Count a frame that was handed over at the far end."""
        self.counters.bytes += size
        self.counters.packets += 1

    def _arrival(self, departure: int) -> int:
        arrival = departure + self._delay_ns
        if self._jitter_ns:
            deviations = max(-JITTER_CUT, min(JITTER_CUT, self._random.gauss(0.0, 1.0)))
            arrival = max(departure, arrival + round(deviations * self._jitter_ns))
        if not self._reorder:
            arrival = self._last_arrival = max(arrival, self._last_arrival)
        return arrival


class Lead:
    """How much before its time a frame is handed over, so that on average it is on time though the process wakes late.

    What it observes is how late a frame was in the end (negative: early); it never leads by more than its limit.
    """

    __slots__ = ("nanoseconds",)
    LIMIT = 300_000
    # One observation counts for no more than this and moves the lead by a part of it.
    OUTLIER = MILLISECOND
    SHARE = 64

    def __init__(self) -> None:
        self.nanoseconds = 0

    def observe(self, late: int) -> None:
        """Take account of one frame."""
        moved = self.nanoseconds + max(-self.OUTLIER, min(self.OUTLIER, late)) // self.SHARE
        self.nanoseconds = max(0, min(self.LIMIT, moved))


class Flight(Generic[Target]):
    """The frames under way on all lines, in the order of their arrival; equal arrivals keep the order of departure."""

    __slots__ = ("_count", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Target, bytes]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, arrival: int, target: Target, frame: bytes) -> None:
        """Put a frame under way to a target."""
        self._count += 1
        heapq.heappush(self._heap, (arrival, self._count, target, frame))

    def next_arrival(self) -> int | None:
        """When the next frame is due; None while nothing is under way."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: int) -> Iterator[tuple[Target, bytes]]:
        """Take out the frames that have arrived by now."""
        while self._heap and self._heap[0][0] <= now:
            _, _, target, frame = heapq.heappop(self._heap)
            yield target, frame
