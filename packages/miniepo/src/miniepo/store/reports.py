"""What agents say at every call-in: what comes in at about the same time is stored by one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from miniepo.store.batch import Batch
from miniepo.store.database import Database, json_rows
from miniepo.store.systems import Callin, System


@dataclass(frozen=True, slots=True)
class Reported:
    """A system's properties: `columns` for EPOComputerProperties, `received` as the agent sent them, merged."""

    system_id: int
    props_version: str
    columns: dict[str, str | int | None]
    received: dict[str, str]


class Reports:
    """Looks agents up and stores what they report. One agent's reports are stored in the order of the calls."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._systems = Batch(self._by_guids, key=lambda guid: guid)
        self._nonces = Batch(self._first_uses, key=lambda used: used)
        self._call_ins = Batch(self._store_call_ins, key=lambda entry: entry[0])
        self._properties = Batch(self._store_properties, key=lambda reported: reported.system_id)

    async def system(self, guid: str) -> System | None:
        """The system of a GUID."""
        return await self._systems.submit(guid)

    async def first_use(self, guid: str, nonce: str) -> int | None:
        """Remember a nonce; None if it was seen before, else the number of the last change of what is declared."""
        return await self._nonces.submit((guid, nonce))

    async def declared(self) -> int:
        """The number of the last change of what is declared."""
        return int(await self._database.value("report/declared"))

    async def call_in(self, system_id: int, callin: Callin) -> bool:
        """The last call-in on the system, and a row of its own in the history; False if the system is gone."""
        return await self._call_ins.submit((system_id, callin))

    async def properties(self, reported: Reported) -> bool:
        """The properties of a system that is no repository (one that is needs a transaction); False if it is gone."""
        return await self._properties.submit(reported)

    async def _by_guids(self, guids: Sequence[str]) -> Sequence[System | None]:
        found = await self._database.rows("leaf/by_guids", System, guids=list(guids))
        by_guid = {system.guid: system for system in found}
        return [by_guid.get(guid) for guid in guids]

    async def _first_uses(self, used: Sequence[tuple[str, str]]) -> Sequence[int | None]:
        guids, nonces = zip(*used, strict=True)
        rows = await self._database.records("report/first_uses", guids=list(guids), nonces=list(nonces))
        first = {(row["guid"], row["nonce"]): int(row["number"]) for row in rows}
        return [first.get(each) for each in used]

    async def _store_call_ins(self, entries: Sequence[tuple[int, Callin]]) -> Sequence[bool]:
        rows = [{"id": id, **{name: getattr(callin, name) for name in Callin.__slots__}} for id, callin in entries]
        return await self._store("report/call_ins", rows)

    async def _store_properties(self, reports: Sequence[Reported]) -> Sequence[bool]:
        rows = [
            {"id": each.system_id, "props_version": each.props_version, "received": each.received, **each.columns}
            for each in reports
        ]
        return await self._store("report/properties", rows)

    async def _store(self, query: str, rows: Sequence[dict[str, Any]]) -> Sequence[bool]:
        """Whether each row's system was there."""
        stored = await self._database.records(query, rows=json_rows(rows))
        ids = {row["id"] for row in stored}
        return [row["id"] in ids for row in rows]
