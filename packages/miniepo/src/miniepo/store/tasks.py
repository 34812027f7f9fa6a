"""Client tasks, to which group or system they are assigned, and how their runs went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from miniepo.protocol.messages import TaskStatus
from miniepo.store.database import Database, json_value


@dataclass(frozen=True, slots=True)
class Task:
    """A client task."""

    id: int
    name: str
    type: str
    schedule: dict[str, Any]
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TaskAssignment:
    """A client task put on a group or on a single system."""

    group_id: int | None
    system_id: int | None
    id: int
    name: str
    type: str
    schedule: dict[str, Any]
    settings: dict[str, Any]


class Tasks:
    """Finds, saves and assigns client tasks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, text: str) -> list[Task]:
        return await self._database.rows("task/find", Task, text=text)

    async def by_name(self, name: str) -> Task | None:
        """By name, or by number."""
        return await self._database.row("task/by_name", Task, name=name)

    async def by_id(self, id: int) -> Task | None:
        return await self._database.row("task/by_id", Task, id=id)

    async def save(self, name: str, type: str, schedule: dict[str, Any], settings: dict[str, Any]) -> int:
        """Create the task, or change the one of that name; its id."""
        saved = await self._database.value(
            "task/save", name=name, type=type, schedule=json_value(schedule), settings=json_value(settings)
        )
        return int(saved)

    async def delete(self, id: int) -> bool:
        """Forget a task with its assignments; False if there is none."""
        return await self._database.run("task/delete", id=id) == 1

    async def assign_to_group(self, task_id: int, group_id: int) -> None:
        await self._database.run("task/assign_to_group", task_id=task_id, node_id=group_id)

    async def assign_to_system(self, task_id: int, system_id: int) -> None:
        await self._database.run("task/assign_to_system", task_id=task_id, node_id=system_id)

    async def assignments(self) -> list[TaskAssignment]:
        return await self._database.rows("task/assignments", TaskAssignment)

    async def report(self, status: TaskStatus) -> None:
        await self._database.run(
            "task/report",
            guid=status.guid,
            task_id=status.task_id,
            run_id=status.run_id,
            status=status.status,
            text=status.text,
        )

    async def statuses(self, name: str | None) -> list[dict[str, Any]]:
        return await self._database.records("task/statuses", name=name)
