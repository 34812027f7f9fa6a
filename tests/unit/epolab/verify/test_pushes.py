"""Who pushes an agent to a node, and which agent is out of reach."""

from pathlib import Path

from epolab.model.topology import Topology
from epolab.topology import load_text, load_topology
from epolab.verify.pushes import out_of_reach, pusher

QUICKSTART = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
BARE = """
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      bare: {components: [pushable]}
"""


def loaded(text: str) -> Topology:
    found = load_text(text.encode(), "bare.yaml")
    assert found.topology is not None, found.problems
    return found.topology


def test_a_handler_of_the_nodes_own_site_pushes() -> None:
    topology = loaded(BARE)
    handler = pusher(topology, topology.node("hq/bare"))
    assert handler is not None and handler.path == "hq/epo"
    assert pusher(QUICKSTART, QUICKSTART.node("tokyo/tokyo-pc-1")) is None


def test_an_agent_that_no_handler_can_call_is_out_of_reach() -> None:
    far = out_of_reach(QUICKSTART)
    assert far is not None and far.path == "india/india-pc-1"
    assert out_of_reach(loaded(BARE)) is None
