"""Which nodes are silenced for a measurement."""

from pathlib import Path

from epolab.topology import load_topology
from epolab.verify.quiet import talkative

TOPOLOGIES = Path(__file__).parents[4] / "topologies"


def test_nodes_that_use_the_lines_are_silenced_and_routers_are_not() -> None:
    assert talkative(load_topology(TOPOLOGIES / "minimal.yaml")) == ["hq/epo", "hq/pc-1"]
