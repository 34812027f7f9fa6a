"""Who visits whom: those an exception names, and a stranger whom none names."""

from pathlib import Path

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.firewall_plan import STRANGER_V4, STRANGER_V6, answering, strangers_visits, welcome_visits

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")


def test_every_visit_is_invited_and_can_get_through() -> None:
    for visit in welcome_visits(TOPOLOGY):
        guest, host = TOPOLOGY.node(visit.guest), TOPOLOGY.node(visit.host)
        assert facts.reachable(TOPOLOGY, guest, host, visit.knock.protocol, visit.knock.port)
        assert visit.knock.address in {str(host.ipv4), str(host.ipv6)}


def test_each_family_is_visited_alike() -> None:
    visits = welcome_visits(TOPOLOGY)
    families = [sum((":" in visit.knock.address) == six for visit in visits) for six in (False, True)]
    assert families[0] == families[1] > 0


def test_a_stranger_comes_to_every_agent_from_its_own_router() -> None:
    visits = strangers_visits(TOPOLOGY)
    assert {visit.host for visit in visits} == {node.path for node in facts.agents(TOPOLOGY)}
    assert {visit.knock.source for visit in visits} == {STRANGER_V4, STRANGER_V6}
    assert all(visit.guest.partition("/")[0] == visit.host.partition("/")[0] for visit in visits)


def test_a_port_that_never_answers_a_single_knock_is_left_to_the_rules() -> None:
    agent = facts.agents(TOPOLOGY)[0]
    assert {exception.port for exception in answering(TOPOLOGY, agent)} == {8081}
    relay = facts.relays(TOPOLOGY)[0]
    assert {(e.protocol, e.port) for e in answering(TOPOLOGY, relay)} >= {("tcp", 8083), ("udp", 8083), ("udp", 8082)}
