"""The DataChannel's tables: payloads, the queue the handlers work on, their attempts, and the agents' answers.

Published checks for stuck items run on them as they stand, for example
`select * from epoagenthandlerdatachannelwq where Finished is NULL` (domain §6.3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from miniepo.protocol.datachannel import ChannelMessage
from miniepo.store import notices
from miniepo.store.database import Database, json_value

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
    """Queues items, hands them out, and keeps what came back."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        await self._database.run(
            "datachannel/postpone", **_numbers(items), outcome=outcome, message=message, seconds=seconds
        )

    async def give_up(self, items: Sequence[Claimed], message: str) -> None:
        """End the attempts and the items: they can never be delivered."""
        await self._database.run("datachannel/give_up", **_numbers(items), message=message)
        await self._database.run("datachannel/announce", channel=notices.DATACHANNEL_DONE)

    async def waiting(self, target: int, limit: int) -> tuple[ChannelMessage, ...]:
        """What waits for an agent, oldest first."""
        rows = await self._database.records("datachannel/waiting", target=target, limit=limit)
        return tuple(ChannelMessage(**row) for row in rows)

    async def deliver(self, target: int, ids: Sequence[str], message: str) -> int:
        """The agent has these items on its disk; how many of them were open."""
        count = await self._database.run("datachannel/deliver", target=target, ids=list(ids), message=message)
        if count:
            await self._database.run("datachannel/announce", channel=notices.DATACHANNEL_DONE)
        return count

    async def expire(self) -> int:
        """Finish the items whose time is over; how many."""
        count = await self._database.run("datachannel/expire")
        if count:
            await self._database.run("datachannel/announce", channel=notices.DATACHANNEL_DONE)
        return count

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
        rows = await self._database.records("datachannel/received", guid=guid, ids=list(ids))
        return {row["id"] for row in rows}

    async def receive(self, guid: str, message: ChannelMessage, handler: str) -> None:
        """Remember a message of an agent for ever or until `forget_old`."""
        await self._database.run(
            "datachannel/receive",
            guid=guid,
            id=message.id,
            product=message.product,
            kind=message.kind,
            correlation=message.correlation,
            handler=handler,
            payload=json_value(message.payload),
        )

    async def answers(self, correlation: str) -> list[Answer]:
        """What came up under a correlation id, oldest first."""
        return await self._database.rows("datachannel/answers", Answer, correlation=correlation)

    async def forget_old(self, finished_seconds: float, received_seconds: float) -> None:
        """Delete finished items, payloads that no item needs, and received messages beyond their age or number."""
        await self._database.run("datachannel/forget_finished", age_seconds=finished_seconds)
        await self._database.run("datachannel/forget_data", age_seconds=finished_seconds)
        await self._database.run("datachannel/forget_received", age_seconds=received_seconds)
        await self._database.run("datachannel/forget_crowded", most=MOST_RECEIVED)


def _numbers(items: Sequence[Claimed]) -> dict[str, list[int]]:
    """The items and their attempts, as queries take them."""
    return {"ids": [item.id for item in items], "attempts": [item.attempt_id for item in items]}
