"""What many agents report at once, and the number of the last change of what is declared."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from miniepo import config
from miniepo.handler import properties
from miniepo.protocol.messages import Event
from miniepo.store.database import open_database
from miniepo.store.event_rows import Delivered
from miniepo.store.migrate import migrate
from miniepo.store.reports import Reported
from miniepo.store.store import Store
from miniepo.store.systems import Callin

pytestmark = pytest.mark.integration


@pytest.fixture
def run(database: config.Database) -> Callable[[Callable[[Store], Awaitable[None]]], None]:
    def play(script: Callable[[Store], Awaitable[None]]) -> None:
        async def work() -> None:
            await migrate(database)
            async with open_database(database) as opened:
                await script(Store(opened))

        asyncio.run(work())

    return play


async def enrolled(store: Store, name: str) -> int:
    async with store.transaction() as inside:
        system = await inside.systems.ensure(name, f"{name}.test", 3)
        await inside.systems.enrol(system.id, f"GUID-{name}", "key", "5.0.0")
    return system.id


async def handler(store: Store) -> int:
    named: dict[str, Any] = {"name": "a", "computer_name": "a", "fqdn": "a.test", "address": "", "address_v6": ""}
    return await store.handlers.register(**named, version="5.9.1", http_port=80, https_port=443, built_in=True)


def test_each_caller_gets_its_own_system(run: Any) -> None:
    async def script(store: Store) -> None:
        one, two = await enrolled(store, "pc-1"), await enrolled(store, "pc-2")
        found = await asyncio.gather(*(store.reports.system(guid) for guid in ("GUID-pc-2", "nobody", "GUID-pc-1")))
        assert [system and system.id for system in found] == [two, None, one]

    run(script)


def test_a_nonce_is_good_once_also_among_many_at_the_same_moment(run: Any) -> None:
    async def script(store: Store) -> None:
        used = [("g", "n1"), ("g", "n1"), ("g", "n2"), ("h", "n1")]
        numbers = await asyncio.gather(*(store.reports.first_use(*each) for each in used))
        assert [number is not None for number in numbers] == [True, False, True, True]
        assert await store.reports.first_use("g", "n2") is None

    run(script)


def callin(handler_id: int, **more: Any) -> Callin:
    given: dict[str, Any] = {"policy_version": "p", "tasks_version": "t", "sitelist_version": "s", "reason": "asci"}
    given |= {"wakeup_id": None, "via_relay": None, "remote_address": "10.0.0.1", "handler_id": handler_id}
    return Callin(version="5.0.0", **(given | more))


def test_call_ins_of_many_are_recorded_and_one_that_is_gone_spoils_none(run: Any) -> None:
    async def script(store: Store) -> None:
        first = await handler(store)
        ids = [await enrolled(store, f"pc-{number}") for number in range(5)]
        gone = max(ids) + 1
        await store.reports.call_in(ids[0], callin(first, wakeup_id="w-1", sequence=7))
        stored = await asyncio.gather(*(store.reports.call_in(id, callin(first)) for id in [*ids, gone]))
        assert stored == [True] * 5 + [False]
        history = await store.systems.callins(None, 0)
        assert sorted(row["name"] for row in history) == ["pc-0", "pc-0", "pc-1", "pc-2", "pc-3", "pc-4"]
        system = await store.systems.by_id(ids[0])
        assert system is not None
        assert (system.last_wakeup_id, system.sequence, system.last_handler_id) == ("w-1", 7, first)
        assert (system.policy_version, system.remote_address) == ("p", "10.0.0.1")

    run(script)


def test_properties_of_many_are_stored_in_every_column_that_one_at_a_time_fills(run: Any) -> None:
    async def script(store: Store) -> None:
        one, two = await enrolled(store, "pc-1"), await enrolled(store, "pc-2")
        received = {name: f"{name} of it" for name in properties.TEXT_COLUMNS} | {
            name: str(number) for number, name in enumerate(properties.NUMBER_COLUMNS, start=1)
        }
        received |= {"IPAddress": "10.0.0.7", "IPV6": "fd00::7", "Own.Thing": "ü"}
        columns = properties.columns(received)
        await store.systems.record_properties(one, "v1", columns, received)
        reported = [Reported(two, "v1", columns, received), Reported(two + 9, "v1", columns, received)]
        assert await asyncio.gather(*map(store.reports.properties, reported)) == [True, False]
        rows = await store.systems.find("", False, None)
        alone, together = (
            {name: value for name, value in row.items() if name.startswith("EPOComputerProperties.")} for row in rows
        )
        assert alone.pop("EPOComputerProperties.ParentID") != together.pop("EPOComputerProperties.ParentID")
        assert alone == together and alone["EPOComputerProperties.SysvolTotalSpace"] == 12
        system = await store.systems.by_id(two)
        assert system is not None and (system.properties, system.props_version) == (received, "v1")

    run(script)


def event(key: str, kind: Any = "threat", **more: Any) -> Event:
    return Event(key=key, kind=kind, **({"event_id": 1092, "severity": 3, "detected": 1.7e9} | more))


def test_events_of_many_are_stored_once_each_whatever_is_in_them(run: Any) -> None:
    async def script(store: Store) -> None:
        ids = [await enrolled(store, f"pc-{number}") for number in range(3)]
        odd = event("odd", text="a\0b\\u0000", event_id=2**70, severity=-(2**70), detected=1e300)
        odd_fields = event("fields", fields={"ThreatHandled": "banana", "ThreatName": "x\0y", "No.Such": "1"})
        deliveries = [
            Delivered("hq/epo", f"GUID-pc-{number}", id, (event("e1"), event("e1"), event("p1", "product")))
            for number, id in enumerate(ids)
        ] + [Delivered("hq/epo", "GUID-pc-0", ids[0], (event("e1"), odd, odd_fields))]
        await asyncio.gather(*map(store.events.add, deliveries))
        await asyncio.gather(*map(store.events.add, deliveries))
        stored = await store.events.list(None)
        assert sorted((row["guid"], row["key"]) for row in stored) == sorted(
            [(f"GUID-pc-{number}", key) for number in range(3) for key in ("e1", "p1")]
            + [("GUID-pc-0", "odd"), ("GUID-pc-0", "fields")]
        )
        assert [row["text"] for row in stored if row["key"] == "odd"] == ["ab\\u0000"]

    run(script)


def test_every_change_of_what_is_declared_has_a_number_and_nothing_else_has(run: Any) -> None:
    async def script(store: Store) -> None:
        seen = await store.reports.declared()

        async def changes(work: Awaitable[Any]) -> bool:
            nonlocal seen
            await work
            before, seen = seen, await store.reports.declared()
            return seen > before

        assert await changes(handler(store))
        policy = await store.policies.save("Mine", "agent", {"asciSeconds": 5})
        found = await store.policies.by_id(policy)
        assert found is not None
        assert await changes(store.policies.assign_to_group(found, 2))
        assert await changes(store.groups.ensure("tokyo"))
        assert await changes(store.tasks.save("Update", "update", {}, {}))
        assert await changes(store.info.set("ServerName", "EPO"))
        assert await changes(store.policies.delete(policy))
        id = await enrolled(store, "pc-1")
        assert not await changes(store.reports.call_in(id, callin(1)))
        async with store.transaction() as inside:
            assert await changes(inside.repositories.register(id, "pc-1", 8081)) is False, "not before the commit"
        assert await changes(asyncio.sleep(0))
        assert await changes(store.systems.delete(id)), "the repository goes with its system"

    run(script)
