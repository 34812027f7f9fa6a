"""Every message has a tag of its own, and the two directions share none."""

from __future__ import annotations

from typing import get_args

import msgspec

from miniepo.protocol import messages


def tags(union: object) -> list[str]:
    return [str(msgspec.inspect.type_info(kind).tag) for kind in get_args(union)]  # type: ignore[union-attr]


def test_tags_are_unique() -> None:
    all_tags = tags(messages.FromAgent) + tags(messages.ToAgent)
    assert len(all_tags) == len(set(all_tags)) == 16


def test_every_message_of_an_agent_names_it() -> None:
    assert all("guid" in kind.__struct_fields__ for kind in get_args(messages.FromAgent))
