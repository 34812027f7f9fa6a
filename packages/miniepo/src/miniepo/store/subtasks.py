"""The subtasks of an entry of the Server Task Log: one per system, each with its own state and messages (domain §6.2).

The entry's AutoId is the CorrelationId of what its systems report, the agent's GUID names the subtask. A system without
an agent has a subtask too, but no GUID.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from miniepo.store.batch import Batch
from miniepo.store.database import Database, json_rows

WAITING, IN_PROGRESS, PAUSED, STOPPED = "Waiting", "In Progress", "Paused", "Stopped"
FAILED, COMPLETED, PENDING_TERMINATION, ENDED = "Failed", "Completed", "Pending Termination", "Ended"
FINAL_STATES = frozenset({STOPPED, FAILED, COMPLETED, ENDED})


@dataclass(frozen=True, slots=True)
class Target:
    """A system that a subtask is about."""

    guid: str | None
    system_id: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Subtask:
    """How far one system has got; `state` is one of the eight words of domain §6.4.

    `send`, `start` and `progress` are the three segments of Run Client Task Now ("" where the action has none), each
    Progress, Success or Failure.
    """

    id: int
    task_log_id: int
    guid: str | None
    system_id: int | None
    name: str
    state: str
    send: str
    start: str
    progress: str
    percent: int | None
    start_date: datetime
    end_date: datetime | None


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An entry that a stopped server left behind, with its unfinished subtasks."""

    log_id: int
    count: int
    names: str


@dataclass(frozen=True, slots=True)
class _Row:
    """What becomes of a run-now subtask, and the lines about it."""

    id: int
    state: str
    send: str
    start: str
    progress: str
    percent: int | None
    final: bool
    messages: tuple[str, ...]


class Subtasks:
    """Opens, finds and changes subtasks."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recording = Batch(self._record, key=lambda row: row.id)

    async def open(
        self, log_id: int, targets: Sequence[Target], state: str = IN_PROGRESS, segment: str = ""
    ) -> list[Subtask]:
        """One subtask per target, in one statement; `segment` is what all three segments begin with."""
        return await self._database.rows(
            "subtask/open",
            Subtask,
            log_id=log_id,
            state=state,
            segment=segment,
            guids=[target.guid for target in targets],
            leaves=[target.system_id for target in targets],
            names=[target.name for target in targets],
        )

    async def of_task(self, log_id: int) -> list[Subtask]:
        return await self._database.rows("subtask/of_task", Subtask, log_id=log_id)

    async def of_agent(self, log_id: int, guid: str) -> Subtask | None:
        """The subtask of the agent with this GUID, or of the system that has it now."""
        return await self._database.row("subtask/of_agent", Subtask, log_id=log_id, guid=guid)

    async def record(
        self,
        id: int,
        state: str,
        send: str,
        start: str,
        progress: str,
        percent: int | None,
        messages: Sequence[str] = (),
    ) -> None:
        """Store a run-now subtask as it is now, with lines about it in the log; several at once go together."""
        row = _Row(id, state, send, start, progress, percent, state in FINAL_STATES, tuple(messages))
        await self._recording.submit(row)

    async def set_state(self, id: int, state: str) -> None:
        """Another state for a subtask without segments; a final one closes it."""
        await self._database.run("subtask/set_state", id=id, state=state, final=state in FINAL_STATES)

    async def set_states(self, states: Mapping[int, str]) -> None:
        """The same for many at once, by their numbers."""
        rows = [{"id": id, "state": state, "final": state in FINAL_STATES} for id, state in states.items()]
        await self._database.run_many("subtask/set_state", rows)

    async def interrupted(self) -> list[Interrupted]:
        """What is unfinished in entries that are not closed."""
        return await self._database.rows("subtask/interrupted", Interrupted)

    async def _record(self, rows: Sequence[_Row]) -> Sequence[None]:
        await self._database.run("subtask/record", rows=json_rows(rows))
        return [None] * len(rows)
