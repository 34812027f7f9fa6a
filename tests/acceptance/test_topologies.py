"""Every topology of the repository comes up, keeps its promises and leaves nothing (some have files of their own)."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from epolab.topology import load_topology
from epolab.verify.promises import NAMES, applies
from tests.acceptance.lab import TOPOLOGIES, succeed
from tests.acceptance.world import assert_nothing_is_left, look

pytestmark = pytest.mark.acceptance
ELSEWHERE = {
    "quickstart": "test_verdict_says_no.py",
    "minimal": "test_life.py",
    "conversations": "test_conversations.py",
    "relay-failover": "test_relay_load_says_no.py",
    "tokyo-4000": "`make soak`, which takes longer than a build may",
}
FOR = {
    "many-handlers": ("handlers",),
    "mixed-versions": ("communication", "datachannel", "port-8081", "relay"),
    "nat-branch": ("iptables", "port-8081", "handlers"),
}
"""The promises that a topology is there for; of one that is not named here all are examined."""
FILES = [path for path in sorted(TOPOLOGIES.glob("*.yaml")) if path.stem not in ELSEWHERE]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_it_comes_up_and_keeps_its_promises_and_leaves_nothing(file: Path, tmp_path: Path) -> None:
    home, name, promises = tmp_path / "home", f"try-{file.stem}"[:31], FOR.get(file.stem, NAMES)
    before = look(home)
    try:
        assert succeed(home, "up", file, "--name", name)["state"] == "ready"
        verdict = succeed(home, "verify", name, *(("-k", " or ".join(promises)) if promises != NAMES else ()))
    finally:
        succeed(home, "down", name)
    assert_nothing_is_left(home, before)
    assert_all_kept(file, verdict, promises)


def assert_all_kept(file: Path, verdict: dict[str, Any], promises: Collection[str]) -> None:
    """Every promise that is examined is told of; skipped are just those that the topology has nothing for."""
    topology = load_topology(file)
    skipped = {result["promise"] for result in verdict["results"] if result["outcome"] == "skipped"}
    assert skipped == {promise for promise in promises if not applies(promise, topology)}
    assert {result["promise"] for result in verdict["results"]} == set(promises)
    assert verdict["failed"] == 0
