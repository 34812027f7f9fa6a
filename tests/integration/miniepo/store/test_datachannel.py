"""The DataChannel's queue in a real PostgreSQL: who gets which item and when, and what becomes of it."""

from __future__ import annotations

import asyncio

import pytest

from miniepo import config
from miniepo.store.datachannel import MOST_RECEIVED, NO_GRACE_ENDS, PREFERRED_GRACE_SECONDS
from tests.integration.miniepo.channel_place import Place, played

pytestmark = pytest.mark.integration

FIRST, SECOND = 1, 2


def test_the_handler_that_the_agent_last_talked_to_comes_first(database: config.Database) -> None:
    async def work(place: Place) -> None:
        await place.add(1, 2)
        assert [item.target for item in await place.queue.claim(SECOND, 10)] == [2], "pc-2 has no handler yet"
        assert [item.target for item in await place.queue.claim(FIRST, 10)] == [1]
        assert await place.queue.claim(FIRST, 10) == await place.queue.claim(SECOND, 10) == []

    played(database, work)


def test_after_a_grace_whoever_asks_first_gets_it(database: config.Database) -> None:
    async def work(place: Place) -> None:
        await place.add(1)
        place.later(PREFERRED_GRACE_SECONDS + 1)
        assert await place.queue.claim(SECOND, 10, NO_GRACE_ENDS) == []
        assert len(await place.queue.claim(SECOND, 10)) == 1

    played(database, work)


@pytest.mark.parametrize("gone", ["LastUpdate = now() - interval '1 minute'", "Enabled = false"])
def test_a_handler_that_is_gone_is_not_waited_for(database: config.Database, gone: str) -> None:
    async def work(place: Place) -> None:
        await place.add(1)
        place.sql(f"UPDATE EPOAgentHandlers SET {gone} WHERE AutoID = 1")
        assert len(await place.queue.claim(SECOND, 10, NO_GRACE_ENDS)) == 1

    played(database, work)


def test_a_claim_of_a_handler_that_died_is_taken_over_and_its_attempt_ended(database: config.Database) -> None:
    async def work(place: Place) -> None:
        await place.add(1)
        await place.queue.claim(FIRST, 10)
        place.later(40)
        again = await place.queue.claim(SECOND, 10)
        assert [item.attempts for item in again] == [2]
        attempts = "SELECT HandlerID, Outcome FROM EPOAgentHandlerDatachannelWQAttempts ORDER BY AutoID"
        assert place.sql(attempts) == [(1, "abandoned"), (2, None)]

    played(database, work)


def test_an_item_goes_to_its_agent_alone_and_is_finished_by_it_alone(database: config.Database) -> None:
    async def work(place: Place) -> None:
        await place.add(1)
        (item,) = await place.queue.waiting(1, 10)
        assert (item.product, item.kind, item.correlation, item.payload) == ("EPOAGENT3000", "echo", "c", {"text": "x"})
        assert await place.queue.waiting(2, 10) == ()
        assert await place.queue.deliver(2, [item.id], "") == 0
        assert await place.queue.deliver(1, [item.id], "taken") == 1
        assert await place.queue.deliver(1, [item.id], "taken again") == 0
        assert await place.queue.waiting(1, 10) == ()
        assert [(each.outcome, each.message) for each in await place.queue.batch("B")] == [("delivered", "taken")]

    played(database, work)


def test_a_postponed_item_waits_and_keeps_its_agents_own_call(database: config.Database) -> None:
    async def work(place: Place) -> None:
        await place.add(1)
        items = await place.queue.claim(FIRST, 10)
        await place.queue.postpone(items, "unreachable", "no answer", 15)
        assert await place.queue.claim(FIRST, 10) == []
        assert len(await place.queue.waiting(1, 10)) == 1
        place.later(16)
        assert len(await place.queue.claim(FIRST, 10)) == 1

    played(database, work)


def test_what_was_tried_before_comes_after_the_others(database: config.Database) -> None:
    async def work(place: Place) -> None:
        await place.add(1)
        await place.queue.postpone(await place.queue.claim(FIRST, 10), "unreachable", "no answer", 0)
        await place.add(2)
        claims = [await place.queue.claim(FIRST, 1) for _ in range(3)]
        assert [[item.target for item in claim] for claim in claims] == [[2], [1], []]

    played(database, work)


def test_what_expires_is_finished_and_forgotten_by_age(database: config.Database) -> None:
    async def work(place: Place) -> None:
        await place.add(1, expires=30)
        place.later(31)
        assert await place.queue.claim(FIRST, 10) == [] and await place.queue.waiting(1, 10) == ()
        assert await place.queue.expire() == 1 and await place.queue.expire() == 0
        assert [each.outcome for each in await place.queue.batch("B")] == ["expired"]
        await place.queue.forget_old(60, 60)
        assert len(await place.queue.batch("B")) == 1
        place.later(61)
        place.sql("UPDATE EPODataChannelData SET CreatedOn = CreatedOn - interval '61 s'")
        await place.queue.forget_old(60, 60)
        assert await place.queue.batch("B") == []
        assert place.sql("SELECT count(*) FROM EPODataChannelData") == [(0,)]

    played(database, work)


def test_only_the_latest_messages_of_an_agent_are_kept(database: config.Database) -> None:
    async def work(place: Place) -> None:
        place.sql(
            "INSERT INTO EPODataChannelReceived (AgentGUID, MessageID, Product, Kind, HandlerName)"
            " SELECT guid, 'M-' || n, 'P', 'k', 'hq/epo'"
            f" FROM (VALUES ('G-1', {MOST_RECEIVED + 2}), ('G-2', 2)) AS g (guid, most), generate_series(1, most) AS n"
        )
        await place.queue.forget_old(60, 60)
        assert await place.queue.known("G-1", ["M-1", "M-2", "M-3"]) == {"M-3"}
        assert await place.queue.known("G-2", ["M-1", "M-2"]) == {"M-1", "M-2"}

    played(database, work)


def test_an_id_that_was_never_given_delivers_nothing(database: config.Database) -> None:
    async def work(place: Place) -> None:
        await place.add(1, 2)
        (own,), (others,) = await place.queue.waiting(1, 10), await place.queue.waiting(2, 10)
        strange = ("", "-", "B-", "B-x", "B-٤", f"B-{'9' * 30}", f"C{own.id}", own.id.rpartition("-")[2], others.id)
        assert await place.queue.deliver(1, strange, "") == 0
        assert await place.queue.deliver(1, [own.id, own.id], "") == 1

    played(database, work)


def test_many_agents_at_once_get_each_their_own(database: config.Database) -> None:
    async def work(place: Place) -> None:
        queue = place.queue
        for _ in range(2):
            await place.add(1, 2)
        claims = [*await queue.claim(FIRST, 10), *await queue.claim(SECOND, 10)]
        ends = [(claim, f"told {claim.target}") for claim in claims]
        await asyncio.gather(*(queue.postpone([claim], "told", text, 15) for claim, text in ends))
        assert {(each.target, each.message) for each in await queue.batch("B")} == {(1, "told 1"), (2, "told 2")}
        attempts = "SELECT DISTINCT Outcome, Message FROM EPOAgentHandlerDatachannelWQAttempts ORDER BY Message"
        assert place.sql(attempts) == [("told", "told 1"), ("told", "told 2")]
        first, second, few = await asyncio.gather(queue.waiting(1, 10), queue.waiting(2, 10), queue.waiting(2, 1))
        assert [len(first), second[0], len(second), few] == [2, few[0], 2, second[:1]]
        assert not {item.id for item in first} & {item.id for item in second}
        ids = [item.id for item in (*first, second[0])]
        assert await asyncio.gather(queue.deliver(1, ids, "one"), queue.deliver(2, ids, "two")) == [2, 1]
        outcomes = [(each.target, each.outcome, each.message) for each in await queue.batch("B")]
        assert sorted(outcomes, key=str) == [
            (1, "delivered", "one"),
            (1, "delivered", "one"),
            (2, "delivered", "two"),
            (2, None, "told 2"),
        ]

    played(database, work)


def test_deliveries_and_ends_of_attempts_at_once_do_not_block_each_other(database: config.Database) -> None:
    async def work(place: Place) -> None:
        queue = place.queue
        for _ in range(20):
            await place.add(1, 2)
            claims = [*await queue.claim(FIRST, 10), *await queue.claim(SECOND, 10)]
            ids = {target: [item.id for item in await queue.waiting(target, 10)] for target in (2, 1)}
            async with asyncio.timeout(0.9):  # a deadlock is found by the database after a second
                await asyncio.gather(
                    *(queue.postpone([claim], "told", "", 15) for claim in reversed(claims)),
                    *(queue.deliver(target, found, "") for target, found in ids.items()),
                    queue.withdraw("B", ""),
                    queue.expire(),
                )

    played(database, work)
