"""Equals are drawn, a full handler is left for the next one, and the refused do not come back together."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest

from miniepo.protocol.handler_choice import (
    LONGEST_PAUSE_SECONDS,
    ROUNDS,
    GiveUp,
    HandlerChoice,
    HandlerFull,
    Open,
    Pause,
    drawn,
    drawn_once,
)
from miniepo.protocol.sitelist import Site
from tests.unit.miniepo.standins import HANDLER, SECOND

THIRD = replace(SECOND, name="ePO_AH2", order=3)
ORDERED = (HANDLER, SECOND, THIRD)
EQUALS = tuple(replace(site, order=1) for site in ORDERED)
MUCH_TIME = 3600.0


def upper(low: float, high: float) -> float:
    return high


def names(sites: tuple[Site, ...]) -> list[str]:
    return [site.name for site in sites]


def full(handler: Site, seconds_left: float = MUCH_TIME) -> HandlerFull:
    return HandlerFull(handler.name, 5.0, seconds_left)


def test_an_ordered_list_is_never_shuffled() -> None:
    draw = random.Random(7).uniform
    assert {tuple(names(drawn(ORDERED, draw))) for _ in range(50)} == {("ePO_EPO", "ePO_AH", "ePO_AH2")}


def test_equals_are_drawn_evenly_and_stay_before_those_of_a_later_order() -> None:
    draw = random.Random(7).uniform
    last = replace(HANDLER, name="ePO_LAST", order=2)
    orders = [names(drawn((last, *EQUALS), draw)) for _ in range(3000)]
    assert {order[-1] for order in orders} == {"ePO_LAST"}
    firsts = Counter(order[0] for order in orders)
    assert set(firsts) == {"ePO_EPO", "ePO_AH", "ePO_AH2"}
    assert all(900 < count < 1100 for count in firsts.values())


def test_an_agent_can_be_made_to_draw_once_for_all() -> None:
    assert drawn_once(EQUALS, "GUID-1") == drawn_once(tuple(reversed(EQUALS)), "GUID-1")
    firsts = Counter(drawn_once(EQUALS, f"GUID-{number}")[0].name for number in range(3000))
    assert all(900 < firsts[site.name] < 1100 for site in EQUALS)
    assert drawn_once(ORDERED, "GUID-1") == ORDERED


def test_the_playbook_of_a_crowded_lab() -> None:
    choice = HandlerChoice((HANDLER, SECOND), upper)
    assert choice.start() == [Open((HANDLER, SECOND))]
    assert choice.receive(full(HANDLER)) == [Pause(5.0), Open((SECOND, HANDLER))]
    assert choice.receive(full(SECOND)) == [Pause(10.0), Open((HANDLER, SECOND))]
    assert choice.receive(full(HANDLER)) == [Pause(10.0), Open((SECOND, HANDLER))]
    assert choice.receive(full(SECOND)) == [Pause(20.0), Open((HANDLER, SECOND))]


def test_a_lone_handler_is_asked_again_after_the_time_that_it_named_or_later() -> None:
    bounds: list[tuple[float, float]] = []

    def noting(low: float, high: float) -> float:
        bounds.append((low, high))
        return low

    choice = HandlerChoice((HANDLER,), noting)
    for _ in range(ROUNDS - 1):
        assert choice.receive(full(HANDLER))[1:] == [Open((HANDLER,))]
    assert bounds == [(5, 10), (5, 20), (5, 40), (5, LONGEST_PAUSE_SECONDS), (5, LONGEST_PAUSE_SECONDS)]
    assert choice.receive(full(HANDLER)) == [GiveUp(f"every handler was full {ROUNDS} times")]


def test_agents_that_were_refused_together_come_back_one_by_one() -> None:
    pauses = []
    for seed in range(200):
        choice = HandlerChoice((HANDLER,), random.Random(seed).uniform)
        pause = choice.receive(full(HANDLER))[0]
        assert isinstance(pause, Pause)
        pauses.append(pause.seconds)
    assert 5.0 <= min(pauses) < 5.5 and 9.5 < max(pauses) <= 10.0
    assert max(Counter(int(seconds) for seconds in pauses).values()) < 60


@pytest.mark.parametrize(("left", "goes_on"), [(10.1, True), (10.0, False), (-1.0, False)])
def test_nobody_waits_beyond_the_next_call_in(left: float, goes_on: bool) -> None:
    commands = HandlerChoice((HANDLER,), upper).receive(full(HANDLER, left))
    assert isinstance(commands[0], Pause if goes_on else GiveUp)


def test_a_handler_that_has_left_the_list_meanwhile_ends_nothing() -> None:
    choice = HandlerChoice((HANDLER, SECOND), upper)
    assert choice.receive(full(THIRD)) == [Pause(5.0), Open((HANDLER, SECOND))]
