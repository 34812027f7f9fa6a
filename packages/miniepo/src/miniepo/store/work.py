"""The work queue that the server fills and the handlers empty (EPOAgentHandlerWQ): wake-ups so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from miniepo.store import notices
from miniepo.store.database import Database, json_value

PREFERRED_GRACE_SECONDS = 3.0
"""How long a job waits for the handler that the agent last talked to before any handler may take it (domain §4)."""
_ABANDONED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Work:
    """A job that a handler has claimed."""

    id: int
    kind: str
    target: int
    wakeup_id: str
    options: dict[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True)
class WorkState:
    """How far a job has got; `outcome` is completed, failed, expired, or None while it is open."""

    id: int
    target: int
    name: str
    wakeup_id: str
    outcome: str | None
    message: str
    handler: str | None


class WorkQueue:
    """Adds jobs, hands them out one by one, and tells how they went."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_wakeup(
        self,
        target: int,
        batch: str,
        wakeup_id: str,
        options: dict[str, Any],
        preferred: int | None,
        expires_seconds: float,
    ) -> None:
        await self._database.run(
            "work/add",
            kind="wakeup",
            target=target,
            batch=batch,
            wakeup_id=wakeup_id,
            options=json_value(options),
            preferred=preferred,
            expires_seconds=expires_seconds,
        )

    async def announce(self) -> None:
        """Tell the handlers that there is work."""
        await self._database.run("work/announce", channel=notices.WORK)

    async def claim(self, handler_id: int) -> Work | None:
        """The next job for this handler, if there is one; no other handler gets it meanwhile."""
        return await self._database.row(
            "work/claim",
            Work,
            handler_id=handler_id,
            abandoned_seconds=_ABANDONED_SECONDS,
            grace_seconds=PREFERRED_GRACE_SECONDS,
        )

    async def finish(self, id: int, outcome: str, message: str) -> None:
        await self._database.run("work/finish", id=id, outcome=outcome, message=message)
        await self._database.run("work/announce", channel=notices.DONE)

    async def postpone(self, id: int, seconds: float, message: str) -> None:
        await self._database.run("work/postpone", id=id, seconds=seconds, message=message)

    async def wants_full_props(self, wakeup_id: str) -> bool:
        """Whether the wake-up of that id asked for all properties."""
        options = await self._database.value("work/options_of_wakeup", wakeup_id=wakeup_id)
        return bool(options and options.get("full_props"))

    async def batch(self, batch: str) -> list[WorkState]:
        """The jobs of a batch, with those whose time is over marked expired."""
        await self._database.run("work/expire", batch=batch)
        return await self._database.rows("work/batch", WorkState, batch=batch)
