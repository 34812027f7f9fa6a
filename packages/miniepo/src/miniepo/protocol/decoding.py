"""How bytes of a stranger become a typed record: one error for everything that is none, however it is malformed."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from miniepo.errors import MessageError

Record = TypeVar("Record")
_MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Nested deeper than the interpreter's stack is a RecursionError, also inside fields that nobody reads."""


def decoded(decoder: msgspec.json.Decoder[Record], data: bytes, what: str) -> Record:
    """The record in `data`; raises MessageError that says it is not `what`."""
    try:
        return decoder.decode(data)
    except _MALFORMED as error:
        raise MessageError(f"not {what}: {error}") from error
