"""The console's own records: users, scheduled server tasks and the Server Task Log (domain §6.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from miniepo.store.database import Database


@dataclass(frozen=True, slots=True)
class User:
    """A console user."""

    id: int
    name: str
    password_hash: str
    admin: bool
    disabled: bool


@dataclass(frozen=True, slots=True)
class SchedulerTask:
    """A server task; `every_seconds` 0 = only on request."""

    id: int
    name: str
    description: str
    type: str
    every_seconds: float
    incremental: bool
    enabled: bool
    start_date: datetime | None
    end_date: datetime | None
    next_run_time: datetime | None


@dataclass(frozen=True, slots=True)
class TaskLogEntry:
    """A run in the Server Task Log; `state` is one of the domain's words (§6.4)."""

    id: int
    name: str
    start_date: datetime
    end_date: datetime | None
    user_name: str
    task_source: str
    state: str


@dataclass(frozen=True, slots=True)
class TaskLogMessage:
    """A line of a run's log; `subtask` names the system that it is about, None for a line about the whole run."""

    id: int
    task_log_id: int
    date: datetime
    message: str
    subtask_id: int | None
    subtask: str | None


class Users:
    """Finds and creates console users."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_name(self, name: str) -> User | None:
        return await self._database.row("orion/user", User, name=name)

    async def ensure(self, name: str, password_hash: str, admin: bool) -> None:
        await self._database.run("orion/add_user", name=name, password_hash=password_hash, admin=admin)


class SchedulerTasks:
    """Keeps the server tasks and hands out the due ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[SchedulerTask]:
        return await self._database.rows("orion/tasks", SchedulerTask)

    async def save(
        self,
        name: str,
        type: str,
        every_seconds: float,
        incremental: bool,
        enabled: bool,
        first_after_seconds: float = 0,
        description: str = "",
    ) -> None:
        """Create the task, or change the one of that name; a new one runs first after `first_after_seconds`."""
        await self._database.run(
            "orion/save_task",
            name=name,
            type=type,
            every_seconds=every_seconds,
            incremental=incremental,
            enabled=enabled,
            first_after_seconds=first_after_seconds,
            description=description,
        )

    async def enable(self, id: int, enabled: bool) -> None:
        await self._database.run("orion/enable_task", id=id, enabled=enabled)

    async def started(self, id: int) -> None:
        await self._database.run("orion/task_started", id=id)

    async def claim_due(self) -> SchedulerTask | None:
        return await self._database.row("orion/claim_due_task", SchedulerTask)

    async def ended(self, id: int) -> None:
        await self._database.run("orion/task_ended", id=id)


class TaskLog:
    """Opens, writes and closes entries of the Server Task Log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, name: str, user: str, source: str) -> int:
        return int(await self._database.value("orion/open_log", name=name, user=user, source=source))

    async def add(self, log_id: int, message: str, subtask_id: int | None = None) -> None:
        await self._database.run("orion/add_message", log_id=log_id, message=message, subtask_id=subtask_id)

    async def add_all(self, log_id: int, messages: Sequence[tuple[str, int | None]]) -> None:
        """Many messages at once, each with the number of its subtask, if it is about one."""
        rows = [{"log_id": log_id, "message": message, "subtask_id": subtask} for message, subtask in messages]
        await self._database.run_many("orion/add_message", rows)

    async def set_state(self, log_id: int, state: str) -> None:
        """Another state for an entry that is not closed."""
        await self._database.run("orion/set_log_state", log_id=log_id, state=state)

    async def close(self, log_id: int, state: str) -> None:
        await self._database.run("orion/close_log", log_id=log_id, state=state)

    async def state(self, log_id: int) -> str:
        """The state of an entry, "" if there is none."""
        return str(await self._database.value("orion/log_state", log_id=log_id) or "")

    async def end_unfinished(self) -> None:
        """Mark what a stopped server left running as Ended."""
        await self._database.run("orion/end_unfinished")

    async def history(
        self, name: str | None, source: str | None, rows: int, age_seconds: float | None = None
    ) -> list[TaskLogEntry]:
        """The newest entries, newest first, that began at most `age_seconds` ago."""
        return await self._database.rows(
            "orion/history", TaskLogEntry, name=name, source=source, rows=rows, age_seconds=age_seconds
        )

    async def sources(self) -> list[str]:
        return [str(row["source"]) for row in await self._database.records("orion/sources")]

    async def purge(self, age_seconds: float) -> int:
        """Delete the entries that ended longer ago, with their subtasks and messages; how many they were."""
        return await self._database.run("orion/purge", age_seconds=age_seconds)

    async def messages(self, log_id: int) -> list[TaskLogMessage]:
        return await self._database.rows("orion/messages", TaskLogMessage, log_id=log_id)
