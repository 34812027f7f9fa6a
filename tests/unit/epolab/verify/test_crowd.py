"""What is wrong with a swarm, by the server's list of systems."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from epolab.model import Node
from epolab.topology import load_topology
from epolab.verify.crowd import judge

SWARM = """epolab: 1
asci: 60s
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      crowd: {swarm: 5}
"""
HANDLERS = {"hq/epo"}
NOW = datetime(2026, 1, 1, 10, 0, 20, tzinfo=UTC).timestamp()


@pytest.fixture
def node(tmp_path: Path) -> Node:
    (tmp_path / "crowd.yaml").write_text(SWARM)
    return load_topology(tmp_path / "crowd.yaml").node("hq/crowd")


def system(number: int, **more: Any) -> dict[str, Any]:
    return {
        "fqdn": f"crowd-{number:04d}.hq.test",
        "guid": f"GUID-{number}",
        "enrolled": True,
        "group": "My Organization\\hq\\crowd",
        "last_handler": "hq/epo",
        "last_callin": "2026-01-01T10:00:00+00:00",
        "policy_enforced": True,
    } | more


def systems(**odd: Any) -> list[dict[str, Any]]:
    """Four as they must be, and a fifth."""
    return [*(system(number) for number in range(1, 5)), system(5, **odd)]


def test_nothing_is_wrong(node: Node) -> None:
    assert judge(node, HANDLERS, systems(), NOW) == []
    assert judge(node, HANDLERS, systems(last_callin="2026-01-01T09:58:30+00:00"), NOW) == []
    assert judge(node, HANDLERS, [*systems(), system(9, fqdn="other.hq.test", enrolled=False)], NOW) == []


@pytest.mark.parametrize(
    ("odd", "expected", "observed"),
    [
        ({"enrolled": False}, "hq/crowd: each agent has enrolled", "not crowd-0005.hq.test"),
        ({"guid": "GUID-1"}, "hq/crowd: each has a GUID of its own", "not GUID-1"),
        (
            {"group": "My Organization"},
            "hq/crowd: each is in the group My Organization\\hq\\crowd",
            "not crowd-0005.hq.test",
        ),
        ({"last_handler": "dmz/ah"}, "hq/crowd: each calls in to hq/epo", "not crowd-0005.hq.test"),
        (
            {"last_callin": "2026-01-01T09:57:00+00:00"},
            "hq/crowd: each called in within its interval of 60 s",
            "not crowd-0005.hq.test",
        ),
        ({"policy_enforced": False}, "hq/crowd: each enforces its policies", "not crowd-0005.hq.test"),
    ],
)
def test_what_is_wrong_with_one_is_told(node: Node, odd: dict[str, Any], expected: str, observed: str) -> None:
    assert judge(node, HANDLERS, systems(**odd), NOW) == [(expected, observed)]


def test_only_the_first_of_many_are_named(node: Node) -> None:
    (trouble,) = judge(node, HANDLERS, [], NOW)
    assert trouble[1] == "not crowd-0001.hq.test, crowd-0002.hq.test, crowd-0003.hq.test and 2 more"


def test_a_swarm_that_fell_silent_as_a_whole_is_late(node: Node) -> None:
    troubles = judge(node, HANDLERS, systems(), NOW + 600)
    assert [expected for expected, _ in troubles] == ["hq/crowd: each called in within its interval of 60 s"]
