"""The systems of the System Tree (EPOLeafNode with EPOComputerProperties): who they are and when they called in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from miniepo.store.database import Database, json_value


@dataclass(frozen=True, slots=True)
class System:
    """A system; `guid`, `public_key` and `last_update` are None until its agent has enrolled."""

    id: int
    group_id: int
    group_path: str
    name: str
    guid: str | None
    version: str | None
    last_update: datetime | None
    public_key: str | None
    props_version: str
    policy_version: str
    tasks_version: str
    sitelist_version: str
    problems: str
    last_wakeup_id: str | None
    via_relay: str | None
    remote_address: str
    computer_name: str
    fqdn: str
    address: str
    ipv6: str
    last_handler_id: int | None
    properties: dict[str, str]
    net_address: str = ""
    sequence: int = 0
    sequence_errors: int = 0
    regenerate_guid: bool = False
    channel_waits: bool = False


@dataclass(frozen=True, slots=True)
class Callin:
    """What a PROPS VERSION says about an agent, and where it came from."""

    version: str
    policy_version: str
    tasks_version: str
    sitelist_version: str
    reason: str
    wakeup_id: str | None
    via_relay: str | None
    remote_address: str
    handler_id: int
    sequence: int = 0
    sequence_errors: int = 0


class Systems:
    """Finds systems and records what their agents report."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_guid(self, guid: str) -> System | None:
        return await self._database.row("leaf/by_guid", System, guid=guid)

    async def by_id(self, id: int) -> System | None:
        return await self._database.row("leaf/by_id", System, id=id)

    async def named(self, names: list[str]) -> list[System]:
        """The systems of which the node name, FQDN, computer name or IP address is one of these.

        An address is only what an agent reports: one that several machines report finds none of them. The agents of a
        swarm are one machine.
        """
        return await self._database.rows("leaf/named", System, names=[name.lower() for name in names])

    async def numbered(self, ids: list[int]) -> list[System]:
        return await self._database.rows("leaf/numbered", System, ids=ids)

    async def present(self, ids: list[int]) -> set[int]:
        """Those of these numbers that are a system's."""
        return {int(row["id"]) for row in await self._database.records("leaf/present", ids=ids)}

    async def all(self) -> list[System]:
        return await self._database.rows("leaf/all", System)

    async def around_relays(self) -> list[System]:
        """The relays, and the systems whose agents last called in through one."""
        return await self._database.rows("leaf/around_relays", System)

    async def find(self, text: str, name_only: bool, group_ids: list[int] | None) -> list[dict[str, Any]]:
        """Rows as `system.find` shows them (domain §7.5), by substring; an empty text finds all."""
        return await self._database.records("leaf/find", text=text, name_only=name_only, group_ids=group_ids)

    async def ensure(self, name: str, fqdn: str, group_id: int) -> System:
        """The system of that name and FQDN ("" = any), created in a group if it is new; call it inside a transaction.

        Machines of two sites may share a short name; one that was imported without an FQDN is the first to claim it.
        """
        await self._database.value("leaf/lock")
        found = await self._database.row("leaf/same_machine", System, name=name, fqdn=fqdn)
        id = found.id if found else int(await self._database.value("leaf/import", name=name, group_id=group_id))
        await self._database.run("leaf/ensure_properties", id=id, computer_name=name, fqdn=fqdn)
        system = await self.by_id(id)
        assert system is not None, "it was just found or created"
        return system

    async def import_new(self, names: list[str], group_id: int) -> dict[str, int]:
        """Create at once those whose short name nobody has yet; their ids by name. Call it inside a transaction."""
        await self._database.value("leaf/lock")
        shorts = {name.partition(".")[0].lower(): name for name in names}
        taken = await self._database.records("leaf/taken", names=list(shorts))
        new = [name for short, name in shorts.items() if short not in {row["name"] for row in taken}]
        made = await self._database.records(
            "leaf/import_new",
            names=[name.partition(".")[0] for name in new],
            fqdns=[name if "." in name else "" for name in new],
            group_id=group_id,
        )
        ids = {str(row["name"]): int(row["id"]) for row in made}
        return {name: ids[name.partition(".")[0]] for name in new}

    async def enrol(self, id: int, guid: str, public_key: str, version: str) -> None:
        await self._database.run("leaf/enrol", id=id, guid=guid, public_key=public_key, version=version)

    async def regenerate_guids(self, ids: list[int]) -> int:
        """Have these systems' agents take a new GUID when they call in next; how many there are."""
        return await self._database.run("leaf/regenerate_guid", ids=ids)

    async def record_callin(self, id: int, callin: Callin) -> None:
        """The last call-in on the system, and a row of its own in the history."""
        values = {name: getattr(callin, name) for name in Callin.__slots__}
        await self._database.run("leaf/called_in", id=id, **values)
        await self._database.run("leaf/record_handler", id=id, handler_id=callin.handler_id)
        await self._database.run("leaf/record_callin", id=id, **values)

    async def record_versions(
        self, id: int, policy_version: str, tasks_version: str, sitelist_version: str, problems: str
    ) -> None:
        await self._database.run(
            "leaf/enforced",
            id=id,
            policy_version=policy_version,
            tasks_version=tasks_version,
            sitelist_version=sitelist_version,
            problems=problems,
        )

    async def record_properties(
        self, id: int, props_version: str, columns: dict[str, str | int | None], received: dict[str, str]
    ) -> None:
        """`columns` for EPOComputerProperties, `received` exactly as the agent sent them, merged."""
        await self._database.run("leaf/set_properties", id=id, received=json_value(received), **columns)
        await self._database.run("leaf/set_props_version", id=id, props_version=props_version)

    async def move(self, id: int, group_id: int) -> None:
        await self._database.run("leaf/move", id=id, group_id=group_id)

    async def delete(self, id: int) -> None:
        """Forget a system with all that is known of it; its agent would have to enrol again."""
        await self._database.run("leaf/delete", id=id)

    async def is_first_use(self, guid: str, nonce: str) -> bool:
        """Remember a nonce; False if it was seen before."""
        return await self._database.run("leaf/first_use_of_nonce", guid=guid, nonce=nonce) == 1

    async def forget_old(self, nonce_seconds: float, callin_seconds: float) -> None:
        await self._database.run("leaf/forget_old", nonce_seconds=nonce_seconds, callin_seconds=callin_seconds)

    async def callins(self, name: str | None, since: float) -> list[dict[str, Any]]:
        """Call-ins at or after `since` (seconds since the epoch), oldest first."""
        return await self._database.records("leaf/callins", name=name, since=since)
