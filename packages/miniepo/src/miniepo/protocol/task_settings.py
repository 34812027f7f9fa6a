"""What the settings of a client task say, by its type: the server checks them at the import, the agent reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from miniepo.errors import TaskError


class UpdateTask(msgspec.Struct, frozen=True):
    """Type `update`: the products to bring up to date; without a list all that the repository has."""

    products: tuple[str, ...] | None = None


class ScanTask(msgspec.Struct, frozen=True):
    """Type `scan`: where, and in how long at least, as a throttled scan does."""

    folder: str = "/etc"
    seconds: float = 0


KINDS: Mapping[str, type[msgspec.Struct]] = {"update": UpdateTask, "scan": ScanTask}
Kind = TypeVar("Kind", bound=msgspec.Struct)


def read(settings: dict[str, Any], kind: type[Kind]) -> Kind:
    """Settings as those of a type of tasks; raises TaskError."""
    try:
        return msgspec.convert(settings, kind)
    except msgspec.ValidationError as error:
        raise TaskError(f"the task's settings cannot be understood: {error}") from error
