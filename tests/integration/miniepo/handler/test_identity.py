"""GUIDs with a real handler and database: asked for anew, and found on two machines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from speaker import Speaker

from miniepo.clock import SystemEntropy
from miniepo.protocol import messages
from miniepo.store.database import open_database
from miniepo.store.store import Store

pytestmark = pytest.mark.integration


def in_store(database, work) -> Any:
    async def run():
        async with open_database(database) as opened:
            return await work(Store(opened))

    return asyncio.run(run())


def enrolled(handler, keys, name: str) -> Speaker:
    made = Speaker(handler.settings.https_port, keys, name)
    assert made.say(made.enrolment()) == messages.Enrolled(guid=made.guid)
    made.call_in({"NetAddress": "020A01000007"})
    return made


def begin(speaker: Speaker, sequence: int, name: str = "pc-1", net_address: str = "020A01000007") -> Any:
    return speaker.say(
        messages.PropsVersion(
            guid=speaker.guid,
            version="4.8.0",
            props_version="p1",
            computer_name=name,
            net_address=net_address,
            sequence=sequence,
        )
    )


def test_a_new_guid_is_asked_for_once_and_the_system_stays(handler, keys) -> None:
    speaker = enrolled(handler, keys, "pc-1")
    before = in_store(handler.database, lambda store: store.systems.by_guid(speaker.guid))
    assert in_store(handler.database, lambda store: store.systems.regenerate_guids([before.id])) == 1
    refused = begin(speaker, 1)
    assert refused == messages.Refused(code="regenerate-guid", text="a new GUID was asked for")
    old, speaker.guid = speaker.guid, SystemEntropy().guid()
    assert speaker.say(speaker.enrolment()) == messages.Enrolled(guid=speaker.guid)
    assert isinstance(begin(speaker, 1), messages.RequestProps)
    after = in_store(handler.database, lambda store: store.systems.by_guid(speaker.guid))
    assert (after.id, after.regenerate_guid) == (before.id, False)
    assert in_store(handler.database, lambda store: store.systems.by_guid(old)) is None


def test_nobody_without_an_agent_is_asked(handler, keys) -> None:
    async def imported(store: Store) -> int:
        async with store.transaction() as opened:
            system = await opened.systems.ensure("bare", "", 2)
        return await store.systems.regenerate_guids([system.id])

    assert in_store(handler.database, imported) == 0


def test_a_clone_gets_a_guid_of_its_own_and_the_first_machine_keeps_its_own(handler, keys) -> None:
    speaker = enrolled(handler, keys, "pc-1")
    assert isinstance(begin(speaker, 5), messages.RequestProps)
    refused = begin(speaker, 6, name="pc-2", net_address="020A01000008")
    assert refused == messages.Refused(code="regenerate-guid", text="the GUID is that of pc-1")
    clone = enrolled(handler, keys, "pc-2")
    assert isinstance(begin(clone, 1, "pc-2", "020A01000007"), messages.RequestProps)
    assert isinstance(begin(speaker, 6), messages.RequestProps)
    assert clone.guid != speaker.guid


def test_calls_that_do_not_count_on_are_counted_until_they_are_too_many(handler, keys) -> None:
    speaker = enrolled(handler, keys, "pc-1")
    answers = [begin(speaker, sequence) for sequence in (5, 5, 6, 6, 7, 7)]
    assert all(isinstance(answer, messages.RequestProps) for answer in answers)
    system = in_store(handler.database, lambda store: store.systems.by_guid(speaker.guid))
    assert (system.sequence, system.sequence_errors) == (7, 3)
    assert isinstance(begin(speaker, 8), messages.RequestProps)
    refused = begin(speaker, 8)
    assert isinstance(refused, messages.Refused) and refused.code == "regenerate-guid"
