"""How much goes in one package: so many records, and so many bytes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

Record = TypeVar("Record", bound=msgspec.Struct)


def first_that_fit(records: Sequence[Record], count: int, size: int) -> tuple[Record, ...]:
    """As many of them, from the first on, as are at most `count` and at most `size` bytes; one at least."""
    left = size
    fitting: list[Record] = []
    for record in records[:count]:
        left -= len(msgspec.json.encode(record))
        if fitting and left < 0:
            break
        fitting.append(record)
    return tuple(fitting)
