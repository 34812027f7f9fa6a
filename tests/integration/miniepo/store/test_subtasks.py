"""What the subtasks of the Server Task Log promise, with a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from miniepo import config
from miniepo.errors import StoreError
from miniepo.store.database import open_database
from miniepo.store.groups import LOST_AND_FOUND_ID
from miniepo.store.migrate import migrate
from miniepo.store.store import Store
from miniepo.store.subtasks import COMPLETED, IN_PROGRESS, WAITING, Target

pytestmark = pytest.mark.integration
PCS = [Target("GUID-1", 1, "pc-1"), Target("GUID-2", 2, "pc-2"), Target(None, 3, "printer"), Target(None, 4, "camera")]


@pytest.fixture
def run(database: config.Database) -> Callable[[Callable[[Store], Awaitable[None]]], None]:
    asyncio.run(migrate(database))

    def in_store(work: Callable[[Store], Awaitable[None]]) -> None:
        async def opened() -> None:
            async with open_database(database) as made:
                await work(Store(made))

        asyncio.run(opened())

    return in_store


def test_each_system_has_a_state_of_its_own(run) -> None:
    async def work(store: Store) -> None:
        log_id = await store.task_log.open("Run Client Task Now", "admin", "manual")
        opened = await store.subtasks.open(log_id, PCS)
        assert [(each.name, each.state, each.end_date) for each in opened] == [
            (target.name, IN_PROGRESS, None) for target in PCS
        ]
        await store.subtasks.record(
            opened[0].id, COMPLETED, "Success", "Success", "Success", 100, ["sent", "succeeded"]
        )
        await store.subtasks.set_state(opened[1].id, WAITING)
        first = await store.subtasks.of_agent(log_id, "GUID-1")
        assert first is not None and first.end_date is not None
        assert (first.state, first.send, first.progress, first.percent) == (COMPLETED, "Success", "Success", 100)
        states = [each.state for each in await store.subtasks.of_task(log_id)]
        assert states == [COMPLETED, WAITING, IN_PROGRESS, IN_PROGRESS]
        assert await store.subtasks.of_agent(log_id + 1, "GUID-1") is None
        assert [(each.message, each.subtask) for each in await store.task_log.messages(log_id)] == [
            ("sent", "pc-1"),
            ("succeeded", "pc-1"),
        ]

    run(work)


def test_an_agent_has_one_subtask_in_an_entry(run) -> None:
    async def work(store: Store) -> None:
        log_id = await store.task_log.open("Run Client Task Now", "admin", "manual")
        await store.subtasks.open(log_id, PCS)
        with pytest.raises(StoreError):
            await store.subtasks.open(log_id, PCS[:1])

    run(work)


def test_a_system_whose_agent_has_a_new_guid_has_its_subtask_still(run) -> None:
    async def work(store: Store) -> None:
        async with store.transaction() as inside:
            pc = await inside.systems.ensure("pc", "pc.test", LOST_AND_FOUND_ID)
            other = await inside.systems.ensure("other", "other.test", LOST_AND_FOUND_ID)
        log_id = await store.task_log.open("Run Client Task Now", "admin", "manual")
        await store.subtasks.open(log_id, [Target("OLD", pc.id, "pc"), Target(None, None, "printer")])
        await store.systems.enrol(pc.id, "NEW", "k", "5.0.6")
        await store.systems.enrol(other.id, "OTHER", "k", "5.0.6")
        found = [await store.subtasks.of_agent(log_id, guid) for guid in ("OLD", "NEW", "OTHER", "NOBODY")]
        assert [each and each.name for each in found] == ["pc", "pc", None, None]
        await store.systems.delete(other.id)
        assert await store.systems.present([pc.id, other.id]) == {pc.id}

    run(work)


def test_a_message_tells_its_system_and_what_was_left_unfinished_is_told_once(run) -> None:
    async def work(store: Store) -> None:
        log_id = await store.task_log.open("Run Client Task Now", "admin", "manual")
        opened = await store.subtasks.open(log_id, PCS)
        await store.task_log.add(log_id, "queued")
        await store.task_log.add(log_id, "started", opened[1].id)
        assert [(each.message, each.subtask) for each in await store.task_log.messages(log_id)] == [
            ("queued", None),
            ("started", "pc-2"),
        ]
        for each in opened[1:]:
            await store.subtasks.set_state(each.id, COMPLETED)
        assert [(each.log_id, each.count, each.names) for each in await store.subtasks.interrupted()] == [
            (log_id, 1, "pc-1")
        ]
        await store.task_log.close(log_id, "Ended")
        assert await store.subtasks.interrupted() == []

    run(work)


def test_old_entries_are_purged_with_their_subtasks(run) -> None:
    async def work(store: Store) -> None:
        ended = await store.task_log.open("Run Client Task Now", "admin", "manual")
        await store.subtasks.open(ended, PCS)
        running = await store.task_log.open("Repository Pull", "system", "scheduler")
        await store.task_log.close(ended, "Completed")
        assert await store.task_log.purge(3600) == 0
        assert await store.task_log.purge(0) == 1
        assert await store.subtasks.of_task(ended) == []
        assert [each.id for each in await store.task_log.history(None, None, 10, age_seconds=60)] == [running]
        assert await store.task_log.sources() == ["scheduler"]

    run(work)
