"""Which nodes are silenced for a measurement, and when their lines are still."""

from pathlib import Path
from typing import Any

import pytest

from epolab.topology import load_topology
from epolab.verify import quiet
from epolab.verify.quiet import STILL_BYTES, talkative, until_still

TOPOLOGIES = Path(__file__).parents[4] / "topologies"


def test_nodes_that_use_the_lines_are_silenced_and_routers_are_not() -> None:
    assert talkative(load_topology(TOPOLOGIES / "minimal.yaml")) == ["hq/epo", "hq/pc-1"]
    named = talkative(load_topology(TOPOLOGIES / "conversations.yaml"))
    assert "dmz/crowd" in named and "hq/hq-bare" not in named and not [path for path in named if "router" in path]


class Lines:
    """Two links, of which one does not count; the other has carried so many bytes each time it is asked."""

    def __init__(self, *carried: int) -> None:
        self.left = list(carried)

    def __call__(self) -> dict[str, Any]:
        there = self.left.pop(0) if len(self.left) > 1 else self.left[0]
        return {"line": {"a_to_b": {"bytes": there}, "b_to_a": {"bytes": 7}}, "plain": {"a_to_b": {"bytes": None}}}


def test_lines_are_still_when_what_was_under_way_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "LOOK_SECONDS", 0.001)
    lines = Lines(0, 500_000, 900_000, 900_000 + STILL_BYTES, 5_000_000)
    until_still(lines)
    assert lines.left == [5_000_000]


def test_lines_that_are_never_still_are_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "LOOK_SECONDS", 0.001)
    lines = Lines(*range(0, 10**9, 10**5))
    until_still(lines, limit_seconds=0.05)
    assert len(lines.left) > 1
