"""When client tasks run."""

from typing import Any

import pytest

from miniepo.agent.tasks import choose_due, every_seconds
from miniepo.protocol.messages import ClientTask


def task(task_id: str, **schedule: Any) -> ClientTask:
    return ClientTask(id=task_id, name=task_id, type="update", schedule=schedule)


@pytest.mark.parametrize(
    ("schedule", "seconds"),
    [({"every_seconds": 60}, 60), ({"every_seconds": 0}, 1), ({}, 86_400), ({"every_seconds": "soon"}, 86_400)],
)
def test_a_schedule_is_an_interval(schedule: dict[str, Any], seconds: float) -> None:
    assert every_seconds(task("a", **schedule)) == seconds


def test_a_new_task_is_due_at_once_and_then_by_its_interval() -> None:
    tasks = (task("a", every_seconds=60),)
    assert choose_due(tasks, {}, 1000.0) == tasks[0]
    assert choose_due(tasks, {"a": 1000.0}, 1059.0) is None
    assert choose_due(tasks, {"a": 1000.0}, 1060.0) == tasks[0]


def test_the_longest_overdue_comes_first() -> None:
    tasks = (task("a", every_seconds=60), task("b", every_seconds=10))
    assert choose_due(tasks, {"a": 1000.0, "b": 1000.0}, 1070.0) == tasks[1]
    assert choose_due((), {}, 0.0) is None
