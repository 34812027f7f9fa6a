"""The order in which a link is measured: round trips, loss, jitter, rate, goodput; both directions at once if possible.

The two ends are handed in: this module sends nothing itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from epolab.model.link import Link
from epolab.wan.measured import (
    FIGURES,
    DirectionFigures,
    Figure,
    LinkFigures,
    RoundTripSeries,
    deviation,
    goodput_of,
    loss_of,
    noise_of,
    one_way_ms,
    rate_of,
    round_trips_of,
    stall_of,
)
from epolab.wan.plan import FlowPlan, GoodputPlan, LinkPlan

# Sent first, and not counted: they wait for the neighbour's hardware address. Where the line loses that question or its
# answer, the kernel asks again after a second, so a link is greeted more than once before it counts as unreachable.
GREETINGS = 5
GREETING_ROUNDS = 5
GREETING_PAUSE_MS = 20.0


class End(Protocol):
    """A measuring program at one end of a link."""

    @property
    def address(self) -> str:
        """Its address on the link."""

    def ask(self, op: str, **values: Any) -> None:
        """Have it begin an operation."""

    def answer(self) -> dict[str, Any]:
        """What came of it."""


@dataclass(slots=True)
class LinkSurvey:
    """One measurement of one link."""

    link: Link
    plan: LinkPlan
    a: End
    b: End
    first_flow: int = 1
    _sent: int = 0
    _echoed: int = 0
    _answers: list[dict[str, Any]] = field(default_factory=list)

    def run(self, figures: Collection[Figure] = FIGURES, earlier: LinkFigures | None = None) -> LinkFigures:
        """These figures anew, the others as seen earlier; a link that answers no greeting is asked nothing more."""
        if not any(self._echoes(GREETINGS, GREETING_PAUSE_MS)["series"] for _ in range(GREETING_ROUNDS)):
            return LinkFigures(DirectionFigures(), DirectionFigures())
        seen = earlier or LinkFigures(DirectionFigures(), DirectionFigures())
        if "round_trips" in figures or seen.round_trips is None:
            seen = self._round_trips(seen)
        if "loss" in figures:
            seen = self._losses(seen)
        if "jitter" in figures:
            seen = self._jitters(seen)
        if "rate" in figures:
            seen = self._rates(seen)
        if "goodput" in figures:
            seen = self._goodputs(seen)
        return replace(seen, noise_ms=noise_of(self._answers), stall_ms=stall_of(self._answers))

    def _echoes(self, count: int, pause_ms: float) -> dict[str, Any]:
        """A series with numbers of its own: what comes late of the one before counts for nothing."""
        patience, first = self.plan.patience_seconds, self._echoed
        self._echoed += count
        self.b.ask("echo", first=first, count=count, seconds=count * pause_ms / 1000 + patience)
        waits = {"pause_ms": pause_ms, "patience_seconds": patience}
        self.a.ask("round_trips", peer=self.b.address, first=first, count=count, **waits)
        answer = self._answer(self.a)
        self._answer(self.b)
        return answer

    def _round_trips(self, seen: LinkFigures) -> LinkFigures:
        answer = self._echoes(self.plan.round_trips, self.plan.round_trip_pause_ms)
        there = self._one_way(answer["series"], 1, seen.a_to_b)
        back = self._one_way(answer["series"], 2, seen.b_to_a)
        return replace(seen, a_to_b=there, b_to_a=back, round_trips=round_trips_of(answer))

    def _one_way(self, series: RoundTripSeries, place: int, seen: DirectionFigures) -> DirectionFigures:
        shape, plan = (self.link.a_to_b, self.plan.a_to_b) if place == 1 else (self.link.b_to_a, self.plan.b_to_a)
        delays = one_way_ms(series, place, shape)
        if not delays:
            return replace(seen, delay_ms=None)
        jitter = deviation(delays) if plan.jitter is None else seen.jitter_ms
        return replace(seen, delay_ms=sum(delays) / len(delays), jitter_ms=jitter)

    def _losses(self, seen: LinkFigures) -> LinkFigures:
        plans = (self.plan.a_to_b.loss, self.plan.b_to_a.loss)
        there, back = (
            None if plan is None or arrivals is None else loss_of(plan.count, arrivals)
            for plan, arrivals in zip(plans, self._flow(*plans), strict=True)
        )
        return replace(seen, a_to_b=replace(seen.a_to_b, loss=there), b_to_a=replace(seen.b_to_a, loss=back))

    def _jitters(self, seen: LinkFigures) -> LinkFigures:
        there, back = self._flow(self.plan.a_to_b.jitter, self.plan.b_to_a.jitter)
        return replace(seen, a_to_b=_with_jitter(seen.a_to_b, there), b_to_a=_with_jitter(seen.b_to_a, back))

    def _rates(self, seen: LinkFigures) -> LinkFigures:
        plans = (self.plan.a_to_b.rate, self.plan.b_to_a.rate)
        if self.plan.rate_one_way_at_a_time:
            arrived = (self._flow(plans[0], None)[0], self._flow(None, plans[1])[1])
        else:
            arrived = self._flow(*plans)
        there, back = (
            None if plan is None or arrivals is None else rate_of(arrivals, plan.payload_bytes)
            for plan, arrivals in zip(plans, arrived, strict=True)
        )
        return replace(seen, a_to_b=replace(seen.a_to_b, rate_bps=there), b_to_a=replace(seen.b_to_a, rate_bps=back))

    def _goodputs(self, seen: LinkFigures) -> LinkFigures:
        control, there = self._goodput(self.a, self.b, self.plan.a_to_b.goodput)
        other, back = self._goodput(self.b, self.a, self.plan.b_to_a.goodput)
        return replace(
            seen,
            a_to_b=replace(seen.a_to_b, goodput_bps=there),
            b_to_a=replace(seen.b_to_a, goodput_bps=back),
            congestion_control=control or other,
        )

    def _flow(self, there: FlowPlan | None, back: FlowPlan | None) -> tuple[Any, Any]:
        """What arrived of a flow each way; None where none was sent."""
        if there is None and back is None:
            return None, None
        flow, self._sent = self.first_flow + self._sent, self._sent + 1
        seconds = self.plan.patience_seconds + max(it.seconds for it in (there, back) if it is not None) * 1.2
        for end, peer, own, others in ((self.a, self.b, there, back), (self.b, self.a, back, there)):
            end.ask(
                "flow",
                peer=peer.address,
                flow=flow,
                send=None if own is None else _flow_values(own),
                expect=0 if others is None else others.count,
                seconds=seconds,
                timed=others is not None and others.timed,
                busy_ns=0 if others is None else others.busy_ns,
            )
        at_a, at_b = self._answer(self.a), self._answer(self.b)
        return (at_b["arrivals"] if there else None), (at_a["arrivals"] if back else None)

    def _goodput(self, sender: End, receiver: End, plan: GoodputPlan | None) -> tuple[str | None, float | None]:
        if plan is None:
            return None, None
        seconds = plan.warm_seconds + plan.seconds
        receiver.ask("receive", warm_seconds=plan.warm_seconds, seconds=plan.seconds, window_bytes=plan.window_bytes)
        sender.ask("send", peer=receiver.address, seconds=seconds)
        taken, sent = self._answer(receiver), self._answer(sender)
        return sent["congestion_control"], goodput_of(taken)

    def _answer(self, end: End) -> dict[str, Any]:
        answer = end.answer()
        self._answers.append(answer)
        return answer


def _flow_values(plan: FlowPlan) -> dict[str, int]:
    return {
        "count": plan.count,
        "payload_bytes": plan.payload_bytes,
        "pause_ns": plan.pause_ns,
        "burst": plan.burst,
        "catch_up_ns": plan.catch_up_ns,
        "at_once": plan.at_once,
        "timed": plan.timed,
    }


def _with_jitter(seen: DirectionFigures, arrivals: Mapping[str, Any] | None) -> DirectionFigures:
    if arrivals is None:
        return seen
    return replace(seen, jitter_ms=deviation([delay / 1e6 for delay in arrivals["delays_ns"]]))
