"""What a task's settings may say, by its type."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from miniepo.errors import TaskError
from miniepo.protocol.task_settings import KINDS, ScanTask, UpdateTask, read


def test_settings_have_defaults() -> None:
    assert read({}, ScanTask) == ScanTask("/etc", 0)
    assert read({}, UpdateTask) == read({"products": None}, UpdateTask) == UpdateTask(None)


def test_settings_are_what_they_say() -> None:
    assert read({"folder": "/srv", "seconds": 2}, ScanTask) == ScanTask("/srv", 2)
    assert read({"products": ["A", "B"], "of a later version": 1}, UpdateTask) == UpdateTask(("A", "B"))


@pytest.mark.parametrize(
    ("kind", "settings", "complaint"),
    [
        ("scan", {"seconds": "long"}, "Expected `float`, got `str` - at `$.seconds`"),
        ("scan", {"seconds": 10**400}, "out of range"),
        ("scan", {"folder": 5}, "Expected `str`, got `int` - at `$.folder`"),
        ("update", {"products": 5}, "got `int` - at `$.products`"),
        ("update", {"products": "VSCANDAT1000"}, "got `str` - at `$.products`"),
        ("update", {"products": [5]}, "got `int` - at `$.products[0]`"),
    ],
)
def test_settings_are_read_strictly(kind: str, settings: dict[str, Any], complaint: str) -> None:
    of_type: type[msgspec.Struct] = KINDS[kind]
    with pytest.raises(TaskError) as caught:
        read(settings, of_type)
    assert complaint in str(caught.value)
