"""The DataChannel's tables: payloads, the queue the handlers work on, their attempts, and the agents' answers.

Published checks for stuck items run on them as they stand, for example
`select * from epoagenthandlerdatachannelwq where Finished is NULL` (domain §6.3).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from miniepo.protocol.datachannel import ChannelMessage
from miniepo.store import notices
from miniepo.store.batch import Batch
from miniepo.store.database import Database, json_rows, json_value

Rows = Sequence[dict[str, Any]]
PREFERRED_GRACE_SECONDS = 3.0
"""How long an item waits for the handler that the agent last talked to before any handler may take it (domain §4)."""
NO_GRACE_ENDS = 10.0 * 365 * 86400
"""A grace that outlasts every item: as long as that handler lives nobody else takes its work."""
HANDLER_SILENT_SECONDS = 20.0
"""After this long without a heartbeat a handler is not waited for."""
MOST_RECEIVED = 1000
"""So many messages of one agent are kept, the latest; an agent says one again only until it was accepted."""
LEASE_SECONDS = 30.0
"""How long a claimed item is its handler's; whoever asks after that takes it."""
LONGEST_NUMBER = 18
"""Digits of an AutoID, so many that every bigint has room for them."""
AGENTS_TOGETHER = 16
"""Messages of so many agents travel in one statement: those that one of them fetches or says at a time can be 3 MiB."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An item of the queue that a handler has claimed; `attempts` counts this one."""

    id: int
    target: int
    attempts: int
    attempt_id: int


@dataclass(frozen=True, slots=True)
class ItemState:
    """How far an item has got; `outcome` is delivered (on the agent's disk), failed, expired, or None while open."""

    id: int
    target: int
    name: str
    guid: str | None
    attempts: int
    outcome: str | None
    message: str
    handler: str | None


@dataclass(frozen=True, slots=True)
class DueItem:
    """An item that waits to be announced; `handler_id` is the living handler that the agent last talked to."""

    id: int
    handler_id: int | None


@dataclass(frozen=True, slots=True)
class Answer:
    """A message that came up from an agent; `received` in seconds since the epoch."""

    guid: str
    name: str | None
    id: str
    product: str
    kind: str
    handler: str
    payload: dict[str, Any]
    received: float


class DataChannelStore:
    """Queues items, hands them out, and keeps what came back. What many agents do at the same time goes together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._postponing = Batch(self._storing("datachannel/postpone"), key=lambda rows: rows[0]["id"])
        self._looking = Batch(self._waiting, key=lambda look: look[0], most=AGENTS_TOGETHER)
        self._delivering = Batch(self._deliver, key=lambda delivered: delivered[0])
        self._knowing = Batch(self._known, key=lambda asked: asked[0])
        self._receiving = Batch(
            self._storing("datachannel/receive"), key=lambda rows: rows[0]["guid"], most=AGENTS_TOGETHER
        )

    async def add(
        self,
        targets: Sequence[int],
        batch: str,
        product: str,
        kind: str,
        correlation: str,
        payload: dict[str, Any],
        expires_seconds: float,
    ) -> int:
        """Queue one payload for these systems; how many items that made. Call it inside a transaction."""
        data_id = await self._database.value(
            "datachannel/add_data", product=product, kind=kind, correlation=correlation, payload=json_value(payload)
        )
        return await self._database.run(
            "datachannel/add", batch=batch, targets=list(targets), data_id=data_id, expires_seconds=expires_seconds
        )

    async def announce(self) -> None:
        """Tell the handlers that something waits."""
        await self._database.run("datachannel/announce", channel=notices.DATACHANNEL)

    async def claim(self, handler_id: int, limit: int, grace_seconds: float = PREFERRED_GRACE_SECONDS) -> list[Claimed]:
        """The next items for this handler, each with an attempt begun; no other handler gets them meanwhile.

        Those that were tried before come after the others.
        """
        return await self._database.rows(
            "datachannel/claim",
            Claimed,
            handler_id=handler_id,
            limit=limit,
            silent_seconds=HANDLER_SILENT_SECONDS,
            grace_seconds=grace_seconds,
            lease_seconds=LEASE_SECONDS,
        )

    async def postpone(self, items: Sequence[Claimed], outcome: str, message: str, seconds: float) -> None:
        """End the attempts; unless the agent has taken the items by then they are due again after `seconds`."""
        ended = {"outcome": outcome, "message": message, "seconds": seconds}
        await self._postponing.submit([{"id": item.id, "attempt": item.attempt_id, **ended} for item in items])

    async def give_up(self, items: Sequence[Claimed], message: str) -> None:
        """End the attempts and the items: they can never be delivered."""
        numbers = {"ids": [item.id for item in items], "attempts": [item.attempt_id for item in items]}
        await self._database.run("datachannel/give_up", **numbers, message=message)

    async def waiting(self, target: int, limit: int) -> tuple[ChannelMessage, ...]:
        """What waits for an agent, oldest first."""
        return await self._looking.submit((target, limit))

    async def deliver(self, target: int, ids: Sequence[str], message: str) -> int:
        """The agent has these items on its disk; how many of them were open."""
        return await self._delivering.submit((target, tuple(ids), message))

    async def expire(self) -> int:
        """Finish the items whose time is over; how many."""
        return await self._database.run("datachannel/expire")

    async def withdraw(self, batch: str, message: str) -> int:
        """End the items of a batch that no agent has; how many they were."""
        return await self._database.run("datachannel/withdraw", batch=batch, message=message)

    async def batch(self, batch: str) -> list[ItemState]:
        """The items of one `add`."""
        return await self._database.rows("datachannel/batch", ItemState, batch=batch)

    async def due(self, limit: int) -> list[DueItem]:
        """Items that a handler should hear of now (used when the server tells the handlers, as ePO 4.5 does)."""
        return await self._database.rows(
            "datachannel/due_handlers", DueItem, limit=limit, silent_seconds=HANDLER_SILENT_SECONDS
        )

    async def known(self, guid: str, ids: Sequence[str]) -> set[str]:
        """Those of an agent's messages that were received before."""
        return await self._knowing.submit((guid, tuple(ids)))

    async def receive(self, guid: str, messages: Sequence[ChannelMessage], handler: str) -> None:
        """Remember messages of an agent, all or none, for ever or until `forget_old`."""
        await self._receiving.submit([_received(guid, message, handler) for message in messages])

    async def answers(self, correlation: str) -> list[Answer]:
        """What came up under a correlation id, oldest first."""
        return await self._database.rows("datachannel/answers", Answer, correlation=correlation)

    async def forget_old(self, finished_seconds: float, received_seconds: float) -> None:
        """Delete finished items, payloads that no item needs, and received messages beyond their age or number."""
        await self._database.run("datachannel/forget_finished", age_seconds=finished_seconds)
        await self._database.run("datachannel/forget_data", age_seconds=finished_seconds)
        await self._database.run("datachannel/forget_received", age_seconds=received_seconds)
        await self._database.run("datachannel/forget_crowded", most=MOST_RECEIVED)

    def _storing(self, query: str) -> Callable[[Sequence[Rows]], Awaitable[Sequence[None]]]:
        """Runs a query with the rows of all callers at once."""

        async def store(callers: Sequence[Rows]) -> Sequence[None]:
            await self._database.run(query, rows=json_rows([row for rows in callers for row in rows]))
            return [None] * len(callers)

        return store

    async def _waiting(self, looks: Sequence[tuple[int, int]]) -> Sequence[tuple[ChannelMessage, ...]]:
        rows = await self._database.records(
            "datachannel/waiting",
            targets=[target for target, _ in looks],
            limit=max(limit for _, limit in looks),
        )
        found: dict[int, list[ChannelMessage]] = {target: [] for target, _ in looks}
        for row in rows:
            found[row.pop("target")].append(ChannelMessage(**row))
        return [tuple(found[target][:limit]) for target, limit in looks]

    async def _deliver(self, delivered: Sequence[tuple[int, tuple[str, ...], str]]) -> Sequence[int]:
        rows = [
            {"target": target, "number": number_of(id), "id": id, "message": message}
            for target, ids, message in delivered
            for id in dict.fromkeys(ids)
        ]
        changed = await self._database.records("datachannel/deliver", rows=json_rows(rows))
        counts = Counter(row["target"] for row in changed)
        return [counts[target] for target, _, _ in delivered]

    async def _known(self, asked: Sequence[tuple[str, tuple[str, ...]]]) -> Sequence[set[str]]:
        pairs = [(guid, id) for guid, ids in asked for id in ids]
        rows = await self._database.records(
            "datachannel/received", guids=[guid for guid, _ in pairs], ids=[id for _, id in pairs]
        )
        known: dict[str, set[str]] = {guid: set() for guid, _ in asked}
        for row in rows:
            known[row["guid"]].add(row["id"])
        return [known[guid] for guid, _ in asked]


def _received(guid: str, message: ChannelMessage, handler: str) -> dict[str, Any]:
    """A message as the query `receive` takes it."""
    return {
        "guid": guid,
        "id": message.id,
        "product": message.product,
        "kind": message.kind,
        "correlation": message.correlation,
        "handler": handler,
        "payload": message.payload,
    }


def number_of(id: str) -> int | None:
    """The AutoID in an item's id, None in what is none: `<BatchUid>-<AutoID>`, as the query `waiting` makes it."""
    digits = id.rpartition("-")[2]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= LONGEST_NUMBER else None
