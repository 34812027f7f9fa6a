"""The order of a measurement, with ends that answer from a book."""

import math
from dataclasses import replace
from typing import Any

from epolab.model.link import Link, Shape
from epolab.wan.measured import LinkFigures
from epolab.wan.plan import plan_link
from epolab.wan.survey import GREETING_ROUNDS, LinkSurvey

SHAPE = Shape(rate_bps=10_000_000, delay_ms=40.0)
QUIET = {"p99_ms": 0.2, "max_ms": 0.5, "sample": 200}


class BookEnd:
    """Answers each operation as a line that keeps its declaration would; it is deaf to so many series of echoes."""

    def __init__(self, address: str, book: list[tuple[str, str]], *, deaf: float = 0, brief: bool = False) -> None:
        self.address, self._book, self._deaf, self._brief = address, book, deaf, brief
        self._asked: list[tuple[str, dict[str, Any]]] = []
        self.flows: list[int] = []
        self.echoes: list[range] = []

    def ask(self, op: str, **values: Any) -> None:
        self._book.append((self.address, op))
        self._asked.append((op, values))
        if op == "flow":
            self.flows.append(values["flow"])
        if op == "round_trips":
            self.echoes.append(range(values["first"], values["first"] + values["count"]))

    def answer(self) -> dict[str, Any]:
        op, values = self._asked.pop(0)
        return getattr(self, f"_{op}")(**values)  # type: ignore[no-any-return]

    def _echo(self, count: int, **_: Any) -> dict[str, Any]:
        return {"echoed": count}

    def _round_trips(self, count: int, **_: Any) -> dict[str, Any]:
        series = [] if self._deaf > 0 else [(80_112_000, 40_056_000, 40_056_000)] * count
        self._deaf -= 1
        return {"series": series, "sent": count, "oversleep": QUIET | {"sample": 5} if self._brief else QUIET}

    def _flow(self, expect: int, **_: Any) -> dict[str, Any]:
        pairs = {"pairs": expect - 1, "pair_ns": (expect - 1) * 1_211_200, "spread_ns": 1}
        return {"arrivals": {"received": expect, "delays_ns": [], **pairs}, "oversleep": QUIET}

    def _receive(self, seconds: float, **_: Any) -> dict[str, Any]:
        return {"bytes": 1_195_508 * seconds, "seconds": seconds, "oversleep": QUIET | {"max_ms": 0.7}}

    def _send(self, **_: Any) -> dict[str, Any]:
        return {"congestion_control": "cubic"}


def survey(shape: Shape, **kinds: float) -> tuple[LinkFigures, list[tuple[str, str]], BookEnd]:
    book: list[tuple[str, str]] = []
    link = Link("l", "a", "b", shape, shape, ())
    a, b = BookEnd("a", book, **kinds), BookEnd("b", book)
    return LinkSurvey(link, plan_link(link, shaped=shape.shaped), a, b, first_flow=10).run(), book, a


def test_a_shaped_link_is_measured_in_order_and_both_ways() -> None:
    seen, book, a = survey(SHAPE)
    assert [op for end, op in book if end == "a"] == ["round_trips", "round_trips", "flow", "flow", "send", "receive"]
    assert a.flows == [10, 11]
    assert seen.round_trips is not None
    assert seen.a_to_b.delay_ms == seen.b_to_a.delay_ms == 40.0
    assert seen.a_to_b.rate_bps == 10_000_000
    assert seen.b_to_a.loss is not None
    assert seen.b_to_a.loss.lost == 0
    assert seen.b_to_a.goodput_bps == 1_195_508 * 8
    assert (seen.congestion_control, seen.noise_ms, seen.stall_ms) == ("cubic", 0.2, 0.7)


def test_a_plain_link_is_greeted_echoed_and_asked_for_loss() -> None:
    seen, book, _ = survey(Shape())
    assert [op for end, op in book if end == "a"] == ["round_trips", "round_trips", "flow"]
    assert (seen.a_to_b.rate_bps, seen.a_to_b.goodput_bps) == (None, None)
    assert seen.a_to_b.loss is not None and seen.a_to_b.loss.sample == 2000


def test_a_link_that_answers_no_greeting_is_asked_nothing_more() -> None:
    seen, book, _ = survey(SHAPE, deaf=math.inf)
    assert [op for end, op in book if end == "a"] == ["round_trips"] * GREETING_ROUNDS
    assert seen.round_trips is None


def test_a_link_whose_first_greetings_are_lost_is_measured() -> None:
    seen, book, a = survey(Shape(), deaf=2)
    assert [op for end, op in book if end == "a"] == ["round_trips"] * 4 + ["flow"]
    assert seen.round_trips is not None
    numbers = [number for series in a.echoes for number in series]
    assert numbers == list(range(len(numbers))), "no echo of one series can be taken for one of another"


def test_only_what_is_in_doubt_is_measured_again() -> None:
    earlier, _, _ = survey(SHAPE)
    book: list[tuple[str, str]] = []
    link = Link("l", "a", "b", SHAPE, SHAPE, ())
    again = LinkSurvey(link, plan_link(link, shaped=True), BookEnd("a", book), BookEnd("b", book))
    assert again.run(["rate"], replace(earlier, noise_ms=9.0)) == replace(earlier, stall_ms=0.5)
    assert [op for end, op in book if end == "a"] == ["round_trips", "flow"]


def test_a_stream_measured_again_has_its_own_noise() -> None:
    earlier, _, _ = survey(SHAPE)
    book: list[tuple[str, str]] = []
    link = Link("l", "a", "b", SHAPE, SHAPE, ())
    again = LinkSurvey(link, plan_link(link, shaped=True), BookEnd("a", book, brief=True), BookEnd("b", book))
    assert again.run(["goodput"], replace(earlier, noise_ms=9.0)).noise_ms == 0.2


def test_jitter_has_a_flow_of_its_own() -> None:
    _, book, _ = survey(Shape(delay_ms=50.0, jitter_ms=5.0))
    assert [op for end, op in book if end == "a"].count("flow") == 2
