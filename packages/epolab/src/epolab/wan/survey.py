"""The order in which a link is measured: round trips, loss, jitter, rate, goodput; both directions at once if possible.

The two ends are handed in: this module sends nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from epolab.model.link import Link
from epolab.wan.measured import (
    DirectionFigures,
    LinkFigures,
    deviation,
    goodput_of,
    loss_of,
    noise_of,
    one_way_ms,
    rate_of,
    round_trips_of,
)
from epolab.wan.plan import FlowPlan, GoodputPlan, LinkPlan

# Sent first, and not counted: they wait for the neighbour's hardware address.
GREETINGS = 5
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
    _answers: list[dict[str, Any]] = field(default_factory=list)

    def run(self) -> LinkFigures:
        """Every figure of the plan; a link that answers no greeting is asked nothing more."""
        if not self._echoes(GREETINGS, GREETING_PAUSE_MS)["series"]:
            return LinkFigures(DirectionFigures(), DirectionFigures())
        seen = self._round_trips()
        there, back = self._directions(seen)
        control, goodputs = self._goodputs()
        there, back = replace(there, goodput_bps=goodputs[0]), replace(back, goodput_bps=goodputs[1])
        return replace(seen, a_to_b=there, b_to_a=back, congestion_control=control, noise_ms=noise_of(self._answers))

    def _echoes(self, count: int, pause_ms: float) -> dict[str, Any]:
        patience = self.plan.patience_seconds
        self.b.ask("echo", count=count, seconds=count * pause_ms / 1000 + patience)
        self.a.ask("round_trips", peer=self.b.address, count=count, pause_ms=pause_ms, patience_seconds=patience)
        answer = self._answer(self.a)
        self._answer(self.b)
        return answer

    def _round_trips(self) -> LinkFigures:
        answer = self._echoes(self.plan.round_trips, self.plan.round_trip_pause_ms)
        figures = (self._one_way(answer["series"], 1), self._one_way(answer["series"], 2))
        return LinkFigures(*figures, round_trips_of(answer), noise_of(self._answers))

    def _one_way(self, series: list[tuple[int, int, int]], place: int) -> DirectionFigures:
        shape = self.link.a_to_b if place == 1 else self.link.b_to_a
        delays = one_way_ms(series, place, shape)
        if not delays:
            return DirectionFigures()
        return DirectionFigures(delay_ms=sum(delays) / len(delays), jitter_ms=deviation(delays))

    def _directions(self, seen: LinkFigures) -> tuple[DirectionFigures, DirectionFigures]:
        there, back = self.plan.a_to_b, self.plan.b_to_a
        losses = self._flow(there.loss, back.loss)
        jitters = self._flow(there.jitter, back.jitter, timed=True)
        rates = self._rates(there.rate, back.rate)
        sides = zip((seen.a_to_b, seen.b_to_a), (there, back), losses, jitters, rates, strict=True)
        figures = []
        for begun, plan, loss, jitter, rate in sides:
            delays = [delay / 1e6 for delay in jitter["delays_ns"]] if jitter else []
            figures.append(
                replace(
                    begun,
                    loss=loss_of(plan.loss.count, loss) if plan.loss and loss else None,
                    rate_bps=rate_of(rate, plan.rate.payload_bytes) if plan.rate and rate else None,
                    jitter_ms=deviation(delays) if delays else begun.jitter_ms,
                )
            )
        return figures[0], figures[1]

    def _rates(self, there: FlowPlan | None, back: FlowPlan | None) -> tuple[Any, Any]:
        if self.plan.rate_one_way_at_a_time:
            return self._flow(there, None)[0], self._flow(None, back)[1]
        return self._flow(there, back)

    def _flow(self, there: FlowPlan | None, back: FlowPlan | None, *, timed: bool = False) -> tuple[Any, Any]:
        """What arrived of a flow each way; None where none was sent."""
        if there is None and back is None:
            return None, None
        flow, self._sent = self.first_flow + self._sent, self._sent + 1
        seconds = self.plan.patience_seconds + max(it.seconds for it in (there, back) if it is not None) * 1.2
        for end, peer, own, others in ((self.a, self.b, there, back), (self.b, self.a, back, there)):
            send = None if own is None else _flow_values(own)
            expect = 0 if others is None else others.count
            end.ask("flow", peer=peer.address, flow=flow, send=send, expect=expect, seconds=seconds, timed=timed)
        at_a, at_b = self._answer(self.a), self._answer(self.b)
        return (at_b["arrivals"] if there else None), (at_a["arrivals"] if back else None)

    def _goodputs(self) -> tuple[str | None, tuple[float | None, float | None]]:
        control, there = self._goodput(self.a, self.b, self.plan.a_to_b.goodput)
        other, back = self._goodput(self.b, self.a, self.plan.b_to_a.goodput)
        return control or other, (there, back)

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
    }
