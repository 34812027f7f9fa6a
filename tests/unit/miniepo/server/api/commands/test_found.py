"""Names and ids in a call that are no system's."""

from __future__ import annotations

import pytest

from miniepo.server.api.arguments import Call
from miniepo.server.api.commands.found import missing_of
from tests.unit.miniepo.systems import system


@pytest.mark.parametrize(
    ("argument", "given", "missing"),
    [
        ("names", "pc-1,ghost,other,GHOST,ghost", ["ghost", "other"]),
        ("names", "PC-1,pc-1.hq.test", []),
        ("ids", "1,01,7,7,8", ["7", "8"]),
    ],
)
def test_what_is_missing_is_told_once(argument: str, given: str, missing: list[str]) -> None:
    there = [system(id=1, name="pc-1", fqdn="pc-1.hq.test")]
    assert missing_of(there, Call("system.wakeupAgent", {argument: given})) == missing
