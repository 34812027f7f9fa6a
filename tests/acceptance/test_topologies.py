"""Every topology of the repository comes up and keeps its promises (the quickstart has a file of its own)."""

from pathlib import Path

import pytest

from epolab.topology import load_topology
from epolab.verify.promises import NAMES, applies
from tests.acceptance.lab import TOPOLOGIES, succeed

pytestmark = pytest.mark.acceptance
FILES = [path for path in sorted(TOPOLOGIES.glob("*.yaml")) if path.stem != "quickstart"]


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_it_comes_up_and_keeps_its_promises(file: Path, tmp_path: Path) -> None:
    home, name = tmp_path / "home", f"try-{file.stem}"[:31]
    try:
        assert succeed(home, "up", file, "--name", name)["state"] == "ready"
        verdict = succeed(home, "verify", name)
    finally:
        succeed(home, "down", name)
    topology = load_topology(file)
    skipped = {result["promise"] for result in verdict["results"] if result["outcome"] == "skipped"}
    assert skipped == {promise for promise in NAMES if not applies(promise, topology)}
    assert {result["promise"] for result in verdict["results"]} == set(NAMES)
    assert verdict["failed"] == 0
