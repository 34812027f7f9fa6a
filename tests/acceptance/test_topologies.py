"""Every topology of the repository comes up, keeps its promises and leaves nothing (two have files of their own)."""

from pathlib import Path
from typing import Any

import pytest

from epolab.topology import load_topology
from epolab.verify.promises import NAMES, applies
from tests.acceptance.lab import TOPOLOGIES, succeed
from tests.acceptance.world import assert_nothing_is_left, look

pytestmark = pytest.mark.acceptance
ELSEWHERE = {"quickstart": "test_verdict_says_no.py", "minimal": "test_life.py"}
FILES = [path for path in sorted(TOPOLOGIES.glob("*.yaml")) if path.stem not in ELSEWHERE]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_it_comes_up_and_keeps_its_promises_and_leaves_nothing(file: Path, tmp_path: Path) -> None:
    home, name = tmp_path / "home", f"try-{file.stem}"[:31]
    before = look(home)
    try:
        assert succeed(home, "up", file, "--name", name)["state"] == "ready"
        verdict = succeed(home, "verify", name)
    finally:
        succeed(home, "down", name)
    assert_nothing_is_left(home, before)
    assert_all_kept(file, verdict)


def assert_all_kept(file: Path, verdict: dict[str, Any]) -> None:
    """Every promise is told of; skipped are just those that the topology has nothing for."""
    topology = load_topology(file)
    skipped = {result["promise"] for result in verdict["results"] if result["outcome"] == "skipped"}
    assert skipped == {promise for promise in NAMES if not applies(promise, topology)}
    assert {result["promise"] for result in verdict["results"]} == set(NAMES)
    assert verdict["failed"] == 0
