"""However a group's path is written, it starts at My Organization and uses backslashes."""

from __future__ import annotations

import pytest

from miniepo.errors import CommandError
from miniepo.store.groups import normal_path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("tokyo", "My Organization\\tokyo"),
        ("my organization/tokyo/1_SuperAgents", "My Organization\\tokyo\\1_SuperAgents"),
        ("My Organization\\tokyo\\", "My Organization\\tokyo"),
        ("My Organization", "My Organization"),
    ],
)
def test_paths_are_made_equal(given: str, expected: str) -> None:
    assert normal_path(given) == expected


@pytest.mark.parametrize("given", ["", " / "])
def test_a_path_of_nothing_is_refused(given: str) -> None:
    with pytest.raises(CommandError):
        normal_path(given)
