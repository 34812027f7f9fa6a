"""The work queue that the server fills and the handlers empty (EPOAgentHandlerWQ): wake-ups and pushes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from miniepo.store import notices
from miniepo.store.database import Database, json_value

WAKEUP, SUPERAGENT, LISTENER, PUSH = "wakeup", "superagent", "listener", "push"
"""Kinds of jobs; a listener's is nobody's to do: it ends when the agent calls in after a SuperAgent's broadcast."""
PREFERRED_GRACE_SECONDS = 3.0
"""With "use all handlers": how long a job waits for the one that the agent last talked to (domain §4)."""
HANDLER_SILENT_SECONDS = 20.0
"""After this long without a heartbeat a handler counts as offline."""
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
    kind: str
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
        kind: str = WAKEUP,
    ) -> None:
        """Queue a job. `options["held"]` says how strictly it is the preferred handler's: `grace` (the default),
        `alive` (others only when it is silent) or `only`; `options["among"]` has the numbers of the handlers that
        may do it at all, any if it is not there."""
        await self._database.run(
            "work/add",
            kind=kind,
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
            silent_seconds=HANDLER_SILENT_SECONDS,
        )

    async def finish(self, id: int, outcome: str, message: str) -> None:
        await self._database.run("work/finish", id=id, outcome=outcome, message=message)
        await self._database.run("work/announce", channel=notices.DONE)

    async def postpone(self, id: int, seconds: float, message: str) -> None:
        await self._database.run("work/postpone", id=id, seconds=seconds, message=message)

    async def wants_full_props(self, wakeup_id: str) -> bool:
        """Whether the wake-up of that id asked for all properties."""
        return await self._wants("full_props", wakeup_id)

    async def wants_full_policy(self, wakeup_id: str) -> bool:
        """Whether the wake-up of that id asked for all policies and tasks to be sent, changed or not."""
        return await self._wants("full_policy", wakeup_id)

    async def _wants(self, option: str, wakeup_id: str) -> bool:
        options = await self._database.value("work/options_of_wakeup", wakeup_id=wakeup_id)
        return bool(options and options.get(option))

    async def batch(self, batch: str) -> list[WorkState]:
        """The jobs of a batch, with listeners that called in marked completed and those that are too late expired."""
        await self._database.run("work/heard", batch=batch)
        await self._database.run("work/unheard", batch=batch)
        await self._database.run("work/expire", batch=batch)
        return await self._database.rows("work/batch", WorkState, batch=batch)

    async def withdraw(self, batch: str, message: str) -> None:
        """End what is open of a batch: no handler begins with it any more, and what one still tries changes nothing."""
        await self._database.run("work/heard", batch=batch)
        await self._database.run("work/withdraw", batch=batch, message=message)

    async def forget_old(self, age_seconds: float) -> None:
        """Delete the jobs that ended, or whose time was over, so long ago."""
        await self._database.run("work/forget_old", age_seconds=age_seconds)
