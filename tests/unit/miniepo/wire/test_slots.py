"""Connections within the limit are served, one more is refused in words, a crowd waits."""

from __future__ import annotations

import asyncio

from miniepo.wire.slots import MAX_CONNECTIONS, Slots
from tests.unit.miniepo.standins import SetClock


def test_the_limit_is_the_sources_unless_told_otherwise() -> None:
    slots = Slots()
    assert [slots.take() for _ in range(MAX_CONNECTIONS)] == ["serve"] * 245
    assert slots.take() == "refuse"
    assert (slots.serving, slots.refused) == (245, 1)


def test_a_slot_that_is_given_back_is_given_away_again() -> None:
    slots = Slots(1)
    first = slots.take()
    assert slots.take() == "refuse"
    slots.give_back(first)
    assert slots.take() == "serve"


def test_a_refusal_holds_no_slot() -> None:
    slots = Slots(1, refusals_at_once=2)
    assert [slots.take() for _ in range(3)] == ["serve", "refuse", "refuse"]
    slots.give_back("refuse")
    assert (slots.take(), slots.serving, slots.refused) == ("refuse", 1, 3)


def test_only_so_many_are_refused_at_a_time_and_the_others_wait_until_one_has_gone() -> None:
    async def run() -> None:
        slots = Slots(1, refusals_at_once=1)
        await slots.room()
        slots.take()
        assert slots.has_room
        slots.take()
        assert not slots.has_room
        waiting = asyncio.create_task(slots.room())
        await asyncio.sleep(0)
        assert not waiting.done()
        slots.give_back("refuse")
        await waiting

    asyncio.run(run())


def test_a_crowd_does_not_fill_the_log() -> None:
    slots, clock = Slots(0), SetClock()
    assert [slots.may_say(clock) for _ in range(3)] == [True, False, False]
    clock.at += 5
    assert slots.may_say(clock)
