"""The server's end of the DataChannel over a real PostgreSQL: what agents say is handed to its extension once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from miniepo import config
from miniepo.clock import SystemEntropy
from miniepo.config import ServerChannel
from miniepo.errors import DatabaseUnavailableError, MessageError, TransferError
from miniepo.protocol.datachannel import ChannelMessage
from miniepo.protocol.datachannel_forward import Forwarded, Received
from miniepo.server.datachannel import DataChannelServer
from tests.integration.miniepo.channel_place import Place, played

pytestmark = pytest.mark.integration


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


def about(correlation: str, *ids: str) -> tuple[ChannelMessage, ...]:
    return tuple(msgspec.structs.replace(each, correlation=correlation) for each in said(*ids).messages)


def test_what_is_about_one_matter_goes_together_and_the_first_of_one_id_counts(database: config.Database) -> None:
    async def work(place: Place) -> None:
        heard: list[list[str]] = []
        server = DataChannelServer(place.store, ServerChannel(), SystemEntropy())

        async def handle(guid: str, messages: Sequence[ChannelMessage]) -> None:
            heard.append([f"{each.correlation}{each.id}" for each in messages])

        server.register("P", handle)
        messages = (*about("1", "a", "b"), *about("2", "c", "a"), *about("1", "d"))
        accepted = await server.take(msgspec.structs.replace(said(), messages=messages))
        assert accepted == Received(accepted=("a", "b", "c", "a", "d"))
        assert heard == [["1a", "1b"], ["2c"], ["1d"]]

    played(database, work)


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
