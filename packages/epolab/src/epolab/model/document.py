"""How model records are written as plain JSON values."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any


def to_document(value: Any) -> Any:
    """A record, or a container of records, as JSON values; addresses and networks become text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_document(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_document(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_document(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
