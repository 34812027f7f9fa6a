"""The DataChannel's queue in a real PostgreSQL: who gets which item and when, and what becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import psycopg
import pytest

from miniepo import config
from miniepo.clock import SystemEntropy
from miniepo.config import ServerChannel
from miniepo.errors import DatabaseUnavailableError, MessageError, TransferError
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.datachannel_forward import Forwarded, Received
from miniepo.server.datachannel import DataChannelServer
from miniepo.store.database import open_database
from miniepo.store.datachannel import MOST_RECEIVED, NO_GRACE_ENDS, PREFERRED_GRACE_SECONDS
from miniepo.store.migrate import migrate
from miniepo.store.store import Store

pytestmark = pytest.mark.integration

FIRST, SECOND = 1, 2


class Place:
    """A store with two handlers and two systems; pc-1 last talked to the first handler."""

    def __init__(self, database: config.Database, store: Store) -> None:
        self.database = database
        self.store = store
        self.queue = store.datachannel

    async def fill(self) -> None:
        for name in ("hq/epo", "dmz/ah"):
            await self.store.handlers.register(
                name=name,
                computer_name=name,
                fqdn=f"{name}.test",
                address="",
                address_v6="",
                version="5.9.1",
                http_port=80,
                https_port=443,
                built_in=name == "hq/epo",
            )
        for number in (1, 2):
            system = await self.store.systems.ensure(f"pc-{number}", f"pc-{number}.test", 3)
            await self.store.systems.enrol(system.id, f"G-{number}", f"key-{number}", "4.8.0")
        self.sql("UPDATE EPOComputerProperties SET LastAgentHandler = 1 WHERE ComputerName = 'pc-1'")

    def sql(self, statement: str) -> list[Any]:
        where = {"host": self.database.host, "user": "epo", "dbname": self.database.name}
        with psycopg.connect(**where, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def later(self, seconds: float) -> None:
        """Let time pass for the queue."""
        self.sql(
            f"UPDATE EPOAgentHandlerDatachannelWQ SET NotBefore = NotBefore - interval '{seconds} s',"
            f" CreatedOn = CreatedOn - interval '{seconds} s', ExpiresOn = ExpiresOn - interval '{seconds} s',"
            f" Finished = Finished - interval '{seconds} s'"
        )

    async def add(self, *targets: int, expires: float = 600) -> None:
        await self.queue.add(targets, "B", "EPOAGENT3000", "echo", "c", {"text": "x"}, expires)


def played(database: config.Database, work: Callable[[Place], Awaitable[None]]) -> None:
    async def run() -> None:
        await migrate(database)
        async with open_database(database, connections=3) as opened:
            place = Place(database, Store(opened))
            await place.fill()
            await work(place)

    asyncio.run(run())


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


def said(*ids: str) -> Forwarded:
    found = tuple(ChannelMessage(id=id, product="P", kind="k", payload={"id": id}, expires=1.0) for id in ids)
    return Forwarded(handler="dmz/ah", redirect="", guid="G-1", messages=found)


def test_an_extension_gets_each_message_once(database: config.Database) -> None:
    async def work(place: Place) -> None:
        heard: list[Any] = []
        server = DataChannelServer(place.store, ServerChannel(), SystemEntropy())

        async def handle(guid: str, messages: Sequence[ChannelMessage]) -> None:
            heard.extend((guid, message.id) for message in messages)

        server.register("P", handle)
        assert await server.take(said("a", "b", "a")) == Received(accepted=("a", "b", "a"))
        both = await asyncio.gather(server.take(said("b", "c")), server.take(said("c", "a")))
        assert both == [Received(accepted=("b", "c")), Received(accepted=("c", "a"))]
        assert heard == [("G-1", "a"), ("G-1", "b"), ("G-1", "c")]

    played(database, work)


def test_what_an_extension_does_not_take_is_not_accepted_and_comes_again(database: config.Database) -> None:
    async def work(place: Place) -> None:
        heard: list[str] = []
        server = DataChannelServer(place.store, ServerChannel(), SystemEntropy())

        async def handle(guid: str, messages: Sequence[ChannelMessage]) -> None:
            heard.append("".join(message.id for message in messages))
            if "a" in heard[-1] and len(heard) < 3:
                raise TransferError("not now")

        server.register("P", handle)
        assert await server.take(said("a", "b")) == Received(accepted=("b",))
        assert await server.take(said("a")) == Received(accepted=("a",))
        assert heard == ["ab", "a", "b", "a"]

    played(database, work)


def test_what_breaks_its_extension_is_not_accepted_and_leaves_a_traceback(
    database: config.Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(place: Place) -> None:
        server = DataChannelServer(place.store, ServerChannel(), SystemEntropy())

        async def handle(guid: str, messages: Sequence[ChannelMessage]) -> None:
            if any(message.id == "b" for message in messages):
                raise KeyError("no such field")

        server.register("P", handle)
        assert await server.take(said("a", "b", "c")) == Received(accepted=("a", "c"))
        assert await place.queue.known("G-1", ["a", "b", "c"]) == {"a", "c"}

    played(database, work)
    (broken,) = [record for record in caplog.records if record.exc_info]
    assert broken.getMessage() == "G-1: P broke at b"


def test_an_extension_without_its_database_is_not_asked_for_each_message(database: config.Database) -> None:
    async def work(place: Place) -> None:
        asked: list[int] = []
        server = DataChannelServer(place.store, ServerChannel(), SystemEntropy())

        async def handle(guid: str, messages: Sequence[ChannelMessage]) -> None:
            asked.append(len(messages))
            raise DatabaseUnavailableError

        server.register("P", handle)
        assert await server.take(said("a", "b", "c")) == Received(accepted=())
        assert asked == [3]

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


def with_nul(**changes: Any) -> ChannelMessage:
    return msgspec.structs.replace(said("bad").messages[0], **changes)


@pytest.mark.parametrize(
    "bad",
    [with_nul(id="b\0"), with_nul(correlation="\0"), with_nul(payload={"x": "\0"})],
    ids=["id", "name", "payload"],
)
def test_what_can_never_be_stored_is_dropped_and_the_others_are_received(
    database: config.Database, bad: ChannelMessage, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(place: Place) -> None:
        server = DataChannelServer(place.store, ServerChannel(), SystemEntropy())
        first, last = said("a", "c").messages
        forwarded = msgspec.structs.replace(said(), messages=(first, bad, last))
        assert await server.take(forwarded) == Received(accepted=("a", bad.id, "c"))
        assert await place.queue.known("G-1", ["a", "c"]) == {"a", "c"}

    played(database, work)
    assert f"message {bad.id!r} for 'P' is dropped: " in caplog.text and "NUL" in caplog.text


def test_what_the_store_refuses_for_its_content_is_dropped_and_the_others_are_received(
    database: config.Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(place: Place) -> None:
        place.sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF NEW.MessageID = 'b' THEN RAISE SQLSTATE '22P05'; END IF; RETURN NEW; END $$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON EPODataChannelReceived FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
        server = DataChannelServer(place.store, ServerChannel(), SystemEntropy())
        assert await server.take(said("a", "b", "c")) == Received(accepted=("a", "b", "c"))
        assert await place.queue.known("G-1", ["a", "b", "c"]) == {"a", "c"}

    played(database, work)
    assert "message 'b' for 'P' is dropped: PostgreSQL refused" in caplog.text


def test_a_message_for_no_extension_is_not_said_for_ever(database: config.Database) -> None:
    async def work(place: Place) -> None:
        server = DataChannelServer(place.store, ServerChannel(), SystemEntropy())
        assert await server.take(said("a")) == Received(accepted=("a",))

    played(database, work)


def test_a_payload_that_is_too_big_is_not_queued(database: config.Database) -> None:
    async def work(place: Place) -> None:
        server = DataChannelServer(place.store, ServerChannel(), SystemEntropy())
        with pytest.raises(MessageError):
            await server.send([1], "P", "k", "", {"text": "x" * 40_000}, 60)
        batch = await server.send([1, 2], "P", "k", "", {}, 60)
        assert [each.target for each in await place.queue.batch(batch)] == [1, 2]

    played(database, work)
