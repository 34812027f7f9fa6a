"""What the nouns of the store promise, with a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from miniepo import config
from miniepo.errors import StoreError
from miniepo.handler.properties import columns
from miniepo.store import notices
from miniepo.store.database import open_database
from miniepo.store.groups import LOST_AND_FOUND_ID, ROOT_ID
from miniepo.store.handlers import Rule
from miniepo.store.migrate import migrate
from miniepo.store.notices import Notices
from miniepo.store.store import Store
from miniepo.store.systems import Callin

pytestmark = pytest.mark.integration
Result = TypeVar("Result")


@pytest.fixture
def run(database: config.Database) -> Callable[[Callable[[Store], Awaitable[Result]]], Result]:
    asyncio.run(migrate(database))

    def in_store(work: Callable[[Store], Awaitable[Result]]) -> Result:
        async def opened() -> Result:
            async with open_database(database) as made:
                return await work(Store(made))

        return asyncio.run(opened())

    return in_store


async def handler(store: Store, name: str) -> int:
    return await store.handlers.register(
        name=name, computer_name=name, fqdn=name, address="", address_v6="", version="5.9.1", http_port=80,
        https_port=443, built_in=False,
    )  # fmt: skip


async def wakeup(
    store: Store, preferred: int | None, expires: float = 60, held: str = "grace", **more: list[int]
) -> None:
    async with store.transaction() as inside:
        system = await inside.systems.ensure("pc-1", "pc-1.test", LOST_AND_FOUND_ID)
    options = {"full_props": True, "held": held, **more}
    await store.work.add_wakeup(system.id, "batch", "w-1", options, preferred, expires)


def test_work_goes_to_the_preferred_handler_and_to_one_only(run) -> None:
    async def work(store: Store) -> None:
        first, second = await handler(store, "a"), await handler(store, "b")
        await wakeup(store, first)
        assert await store.work.claim(second) is None
        claimed = await store.work.claim(first)
        assert claimed is not None and (claimed.wakeup_id, claimed.attempts) == ("w-1", 1)
        assert await store.work.claim(first) is None
        assert await store.work.wants_full_props("w-1") is True
        await store.work.finish(claimed.id, "completed", "done")
        state = (await store.work.batch("batch"))[0]
        assert (state.outcome, state.handler, state.message) == ("completed", "a", "done")

    run(work)


def test_work_for_a_handler_that_does_not_ask_goes_to_any_after_a_while(run) -> None:
    async def work(store: Store) -> None:
        first, second = await handler(store, "a"), await handler(store, "b")
        await wakeup(store, first)
        for _ in range(50):
            claimed = await store.work.claim(second)
            if claimed is not None:
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the other handler never got it")

    run(work)


def test_work_goes_to_handlers_that_the_agent_answers_only(run) -> None:
    async def work(store: Store) -> None:
        first, second, third = [await handler(store, name) for name in "abc"]
        await wakeup(store, None, among=[first, second])
        assert await store.work.claim(third) is None
        assert await store.work.claim(second) is not None

    run(work)


async def age(store: Store, handler_id: int, seconds: int) -> None:
    """As if everything that is queued, and the handler's last sign of life, were that old."""
    async with store._database._borrowed() as connection:
        await connection.execute(
            "UPDATE EPOAgentHandlerWQ SET CreatedOn = now() - make_interval(secs => %s)", [seconds]
        )
        text = "UPDATE EPOAgentHandlers SET LastUpdate = now() - make_interval(secs => %s) WHERE AutoID = %s"
        await connection.execute(text, [seconds, handler_id])


@pytest.mark.parametrize(
    ("held", "taken_after_5_s", "taken_when_silent"),
    [("grace", True, True), ("alive", False, True), ("only", False, False)],
)
def test_how_strictly_work_is_a_handlers(run, held: str, taken_after_5_s: bool, taken_when_silent: bool) -> None:
    async def work(store: Store) -> None:
        first, second = await handler(store, "a"), await handler(store, "b")
        await wakeup(store, first, held=held)
        assert await store.work.claim(second) is None
        await age(store, first, 5)
        taken = await store.work.claim(second)
        assert (taken is not None) is taken_after_5_s
        if taken is not None:
            await store.work.postpone(taken.id, 0, "not yet")
        await age(store, first, 25)
        assert (await store.work.claim(second) is not None) is taken_when_silent

    run(work)


def test_a_listeners_job_is_nobodys_and_ends_with_its_call_in(run) -> None:
    async def work(store: Store) -> None:
        first = await handler(store, "a")
        async with store.transaction() as inside:
            superagent = await inside.systems.ensure("sa", "sa.test", LOST_AND_FOUND_ID)
            listener = await inside.systems.ensure("pc", "pc.test", LOST_AND_FOUND_ID)
            deaf = await inside.systems.ensure("deaf", "deaf.test", LOST_AND_FOUND_ID)
        await store.work.add_wakeup(superagent.id, "batch", "w-1", {}, None, 60, "superagent")
        await store.work.add_wakeup(listener.id, "batch", "w-1", {}, None, 60, "listener")
        await store.work.add_wakeup(deaf.id, "batch", "w-1", {}, None, 0, "listener")
        claimed = await store.work.claim(first)
        assert claimed is not None and claimed.kind == "superagent" and await store.work.claim(first) is None
        await store.work.finish(claimed.id, "completed", "shouted")
        outcomes = {state.name: state.outcome for state in await store.work.batch("batch")}
        assert outcomes == {"sa": "completed", "pc": None, "deaf": "expired"}
        callin = Callin("4.8.0", "", "", "", "wakeup", "w-1", None, "10.0.0.1", first)
        await store.systems.record_callin(listener.id, callin)
        outcomes = {state.name: state.outcome for state in await store.work.batch("batch")}
        assert outcomes["pc"] == "completed"

    run(work)


def test_postponed_work_waits_and_late_work_expires(run) -> None:
    async def work(store: Store) -> None:
        only = await handler(store, "a")
        await wakeup(store, None, expires=0.5)
        claimed = await store.work.claim(only)
        assert claimed is not None
        await store.work.postpone(claimed.id, 30, "not yet")
        assert await store.work.claim(only) is None
        await asyncio.sleep(0.6)
        assert (await store.work.batch("batch"))[0].outcome == "expired"

    run(work)


def test_machines_of_two_sites_may_share_a_short_name(run) -> None:
    async def work(store: Store) -> None:
        async with store.transaction() as inside:
            imported = await inside.systems.ensure("pc-1", "", ROOT_ID)
            tokyo = await inside.systems.ensure("pc-1", "pc-1.tokyo.test", LOST_AND_FOUND_ID)
            india = await inside.systems.ensure("pc-1", "pc-1.india.test", LOST_AND_FOUND_ID)
            again = await inside.systems.ensure("PC-1", "pc-1.india.test", LOST_AND_FOUND_ID)
        assert tokyo.id == imported.id and tokyo.group_id == ROOT_ID
        assert india.id == again.id != tokyo.id
        assert [each.id for each in await store.systems.named(["pc-1.india.test"])] == [india.id]
        assert len(await store.systems.named(["pc-1"])) == 2

    run(work)


def test_an_address_that_two_machines_report_finds_neither(run) -> None:
    async def work(store: Store) -> None:
        ids: dict[str, int] = {}
        for name, address in (
            ("pc-1", "10.0.0.1"),
            ("pc-2", "10.0.0.2"),
            ("thief", "10.0.0.2"),
            ("crowd-0001", "10.0.0.3"),
            ("crowd-0002", "10.0.0.3"),
            ("short", "10.0.0.4"),
            ("shorter", "10.0.0.4"),
        ):
            fqdn = "" if name.startswith("short") else f"{name}.test"
            async with store.transaction() as inside:
                ids[name] = (await inside.systems.ensure(name, fqdn, LOST_AND_FOUND_ID)).id
            received = {"ComputerName": name, "IPHostName": fqdn, "IPAddress": address}
            await store.systems.record_properties(ids[name], "1", columns(received), received)

        async def found(*names: str) -> list[str]:
            return [each.name for each in await store.systems.named(list(names))]

        assert await found("10.0.0.1") == ["pc-1"]
        assert await found("10.0.0.2") == []
        assert await found("10.0.0.2", "pc-2.test") == ["pc-2"]
        assert await found("10.0.0.1", "10.0.0.2", "thief") == ["pc-1", "thief"]
        assert await found("10.0.0.3") == ["crowd-0001", "crowd-0002"], "the agents of a swarm are one machine"
        assert await found("10.0.0.4") == [], "names that are not known are not the same"

    run(work)


def test_groups_are_made_with_their_parents_once(run) -> None:
    async def work(store: Store) -> None:
        first = await store.groups.ensure("tokyo/1_SuperAgents")
        assert (await store.groups.ensure("My Organization\\Tokyo\\1_superagents")).id == first.id
        lineage = [group.name for group in await store.groups.lineage(first.id)]
        assert lineage == ["1_SuperAgents", "tokyo", "My Organization"]

    run(work)


def test_rules_are_replaced_as_a_whole_and_a_bad_one_changes_nothing(run) -> None:
    async def work(store: Store) -> None:
        rules = [Rule(1, "near", None, ["fd00:1::/64"], False, ["a"]), Rule(2, "all", None, [], True, [])]
        async with store.transaction() as inside:
            await inside.handlers.replace_rules(rules)
        assert await store.handlers.rules() == rules
        with pytest.raises(StoreError):
            async with store.transaction() as inside:
                await inside.handlers.replace_rules([Rule(1, "x", 999, [], True, [])])
        assert await store.handlers.rules() == rules

    run(work)


def test_a_notice_ends_the_wait(run, database: config.Database) -> None:
    async def work(store: Store) -> None:
        heard = Notices(database, notices.WORK)
        listening = asyncio.create_task(heard.listen())
        await heard.wait(5)
        waiting = asyncio.create_task(heard.wait(60))
        await asyncio.sleep(0.1)
        await store.work.announce()
        await asyncio.wait_for(waiting, 5)
        listening.cancel()

    run(work)


def test_due_tasks_are_handed_out_once_and_a_new_one_waits_for_its_first_time(run) -> None:
    async def work(store: Store) -> None:
        tasks = store.scheduler_tasks
        await tasks.save("Pull", "pull", 60, True, True)
        await tasks.save("Later", "pull-full", 60, True, True, first_after_seconds=300)
        await tasks.save("Off", "replicate", 60, True, False)
        await tasks.save("On request", "replicate", 0, True, True)
        due = await tasks.claim_due()
        assert due is not None and due.name == "Pull"
        assert await tasks.claim_due() is None
        await tasks.save("Pull", "pull", 60, True, True)
        assert await tasks.claim_due() is None

    run(work)


def test_a_heartbeat_changes_nothing_declared_and_a_new_address_does(run) -> None:
    async def work(store: Store) -> None:
        id = await handler(store, "a")
        before = await store.reports.declared()
        assert await store.handlers.heartbeat(id, 3, 1)
        assert await store.reports.declared() == before
        await handler(store, "a")
        assert await store.reports.declared() == before + 1

    run(work)


def test_an_ended_job_stays_as_it_ended_without_its_password_and_is_forgotten(run) -> None:
    async def options(store: Store) -> object:
        return await store._database.value("work/options_of_wakeup", wakeup_id="w-1")

    async def work(store: Store) -> None:
        id = await handler(store, "a")
        async with store.transaction() as inside:
            system = await inside.systems.ensure("pc-1", "pc-1.test", LOST_AND_FOUND_ID)
        await store.work.add_wakeup(system.id, "batch", "w-1", {"user": "admin", "password": "sealed"}, None, 60)
        claimed = await store.work.claim(id)
        assert claimed is not None and claimed.options["password"] == "sealed"
        await store.work.finish(claimed.id, "completed", "done")
        await store.work.finish(claimed.id, "failed", "too late")
        assert [state.outcome for state in await store.work.batch("batch")] == ["completed"]
        assert await options(store) == {"user": "admin"}
        await store.work.forget_old(60)
        assert await options(store) is not None
        await store.work.forget_old(-1)
        assert await options(store) is None

    run(work)


def test_withdrawn_jobs_are_nobodys_and_what_was_done_stays_done(run) -> None:
    async def work(store: Store) -> None:
        first = await handler(store, "a")
        async with store.transaction() as inside:
            systems = [await inside.systems.ensure(name, f"{name}.test", LOST_AND_FOUND_ID) for name in "pqrs"]
        for number, system in enumerate(systems):
            batch = "other" if system.name == "s" else "batch"
            await store.work.add_wakeup(system.id, batch, f"w-{number}", {"password": "sealed"}, None, 60)
        done, begun = await store.work.claim(first), await store.work.claim(first)
        assert done is not None and begun is not None
        await store.work.finish(done.id, "completed", "woken")
        await store.work.withdraw("batch", "cancelled")
        await store.work.postpone(begun.id, 0, "nobody answered")
        await store.work.finish(begun.id, "completed", "woken after all")
        states = [(state.outcome, state.message) for state in await store.work.batch("batch")]
        assert states == [("completed", "woken"), ("expired", "cancelled"), ("expired", "cancelled")]
        left = await store.work.claim(first)
        assert left is not None and left.target == systems[3].id and await store.work.claim(first) is None
        options = [
            await store._database.value("work/options_of_wakeup", wakeup_id=f"w-{number}") for number in range(4)
        ]
        assert options == [{}, {}, {}, {"password": "sealed"}]

    run(work)
