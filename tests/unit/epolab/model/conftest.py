"""Topologies for the model's tests, read from the repository or from a few lines."""

from collections.abc import Callable
from pathlib import Path

import pytest

from epolab.model.topology import Topology
from epolab.topology import load_text, load_topology

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def quickstart() -> Topology:
    return load_topology(ROOT / "topologies/quickstart.yaml")


@pytest.fixture(scope="session")
def topology_of() -> Callable[[str], Topology]:
    def build(text: str) -> Topology:
        loaded = load_text(text.encode(), "lab.yaml")
        assert loaded.topology is not None, [problem.render() for problem in loaded.problems]
        return loaded.topology

    return build
