"""The events that agents delivered: threats in EPOEvents, everything else in EPOProductEvents (domain §6.6).

New events are copied in as fast as a table takes them. When one of them is there already, because an acknowledgement
was lost on its way, COPY refuses them all, and they are inserted with care.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from miniepo.errors import DuplicateError
from miniepo.store import event_rows as rows
from miniepo.store.batch import Batch
from miniepo.store.database import Database
from miniepo.store.event_rows import Delivered

MESSAGES_AT_ONCE = 32


class Events:
    """Stores events, each once however often it is delivered, and lists them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._batch = Batch(self._add_all, key=lambda delivered: delivered.guid, most=MESSAGES_AT_ONCE, at_once=2)

    async def add(self, delivered: Delivered) -> None:
        """When this returns all of them are stored, or were before; StoreError: none of these counts as stored."""
        await self._batch.submit(delivered)

    async def _add_all(self, deliveries: Sequence[Delivered]) -> Sequence[None]:
        events = [(each, event) for each in deliveries for event in each.events]
        threats = [pair for pair in events if pair[1].kind == "threat"]
        products = [pair for pair in events if pair[1].kind != "threat"]
        try:
            await self._database.copy("event/copy_threats", [rows.threat_line(*pair) for pair in threats])
        except DuplicateError:
            records = [rows.threat_record(*pair) for pair in threats]
            await self._database.run("event/add_threats", rows=rows.as_parameter(records))
        try:
            await self._database.copy("event/copy_products", [rows.product_line(*pair) for pair in products])
        except DuplicateError:
            records = [rows.product_record(*pair) for pair in products]
            await self._database.run("event/add_products", rows=rows.as_parameter(records))
        return [None] * len(deliveries)

    async def list(self, name: str | None, since: float = 0) -> list[dict[str, Any]]:
        """Events of one system, or of all, that came at or after `since` (seconds since the epoch), oldest first."""
        return await self._database.records("event/list", name=name, since=since)
