"""Which handlers a server of version 4.5 tells."""

from __future__ import annotations

import dataclasses
from typing import Any

from miniepo.server.datachannel_notify import to_tell
from miniepo.store.datachannel import DueItem
from miniepo.store.handlers import Handler

_EMPTY: dict[str, Any] = {field.name: "" for field in dataclasses.fields(Handler)}


def handler(id: int, built_in: bool = False, enabled: bool = True) -> Handler:
    return Handler(**_EMPTY | {"id": id, "built_in": built_in, "enabled": enabled})


ALL = [handler(1, built_in=True), handler(2), handler(3), handler(4, enabled=False)]


def test_the_handler_that_the_agent_last_talked_to_is_told() -> None:
    assert to_tell([DueItem(1, 2), DueItem(2, 2)], ALL) == [ALL[1]]


def test_the_built_in_handler_looks_itself() -> None:
    assert to_tell([DueItem(1, 1)], ALL) == []


def test_for_an_agent_without_a_living_handler_all_are_told() -> None:
    assert to_tell([DueItem(1, None)], ALL) == [ALL[1], ALL[2]]


def test_with_nothing_due_nobody_is() -> None:
    assert to_tell([], ALL) == []
