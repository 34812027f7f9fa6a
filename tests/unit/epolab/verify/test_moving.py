"""What is planned for agents whose handler stops."""

from pathlib import Path

from epolab.topology import load_topology
from epolab.verify.moving import _planned
from epolab.verify.ways import Way

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")


def test_users_of_a_handler_go_to_their_next_and_come_back() -> None:
    handler, user = TOPOLOGY.node("dmz/handler"), TOPOLOGY.node("tokyo/tokyo-pc-1")
    (absence,) = _planned(TOPOLOGY, handler, [user]).values()
    assert (absence.handler, absence.right, absence.home) == ("dmz/handler", (Way("hq/epo"),), (Way("dmz/handler"),))


def test_every_agent_has_an_event_of_its_own() -> None:
    handler = TOPOLOGY.node("dmz/handler")
    users = [TOPOLOGY.node("tokyo/tokyo-pc-1"), TOPOLOGY.node("tokyo/tokyo-pc-2")]
    assert len({absence.text for absence in _planned(TOPOLOGY, handler, users).values()}) == 2
