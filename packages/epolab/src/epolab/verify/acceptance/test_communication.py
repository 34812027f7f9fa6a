"""Promise `communication`: agents talk to their handlers in the recorded order, by a published site list."""

import pytest

from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.broken import expect_all
from epolab.verify.crowd import swarm_troubles
from epolab.verify.rounds import round_troubles
from epolab.verify.seclusion import Alone, apart_troubles, change_troubles, disturb, guid_troubles, secluded
from epolab.verify.talks import (
    Talks,
    event_troubles,
    hold,
    interval_troubles,
    list_troubles,
    property_troubles,
    session_troubles,
)
from epolab.verify.witness import Witness

DISTURBS = True


@pytest.fixture(scope="module", name="held")
def held_fixture(witness: Witness, topology: Topology, whole: None) -> tuple[Talks, dict[str, Alone]]:
    """One conversation of every agent, all at the same time; who is secluded is disturbed right after its own."""
    alone: dict[str, Alone] = {}

    def then(node: Node) -> None:
        if node.path in secluded(topology):
            alone[node.path] = disturb(witness, node.path)

    return hold(witness, topology, then), alone


@pytest.fixture(scope="module", name="talks")
def talks_fixture(held: tuple[Talks, dict[str, Alone]]) -> Talks:
    """What the agents said."""
    return held[0]


@pytest.fixture(scope="module", name="alone")
def alone_fixture(held: tuple[Talks, dict[str, Alone]]) -> dict[str, Alone]:
    """What came of the agents that were disturbed."""
    return held[1]


def test_the_site_list_is_what_the_server_gives(topology: Topology, talks: Talks, agent: str) -> None:
    """SiteList.xml has the published structure, and names what the server gives this agent"""
    expect_all(list_troubles(topology, talks, agent))


def test_the_session_has_the_recorded_order(talks: Talks, agent: str) -> None:
    """PROPS VERSION, REQUEST PROPS, INC PROPS and POLICY follow each other at a call-in"""
    expect_all(session_troubles(talks, agent))


def test_only_changed_properties_are_sent(talks: Talks, agent: str) -> None:
    """properties that are the server's already are not sent again"""
    expect_all(property_troubles(talks, agent))


def test_events_of_priority_do_not_wait(topology: Topology, talks: Talks, agent: str) -> None:
    """an event of priority is sent at once and alone, an ordinary one with the next call-in"""
    expect_all(event_troubles(topology, talks, agent))


def test_intervals_follow_the_version(topology: Topology, talks: Talks, agent: str) -> None:
    """the first call and the enforcement of policies come as the agent's version has them"""
    expect_all(interval_troubles(topology, talks, agent))


def test_a_change_arrives_alone(alone: dict[str, Alone], secluded: str) -> None:
    """a property that changes is sent with the next call-in, and the server has it"""
    expect_all(change_troubles(secluded, alone[secluded].changed.result()))


def test_policies_are_enforced_without_a_handler(alone: dict[str, Alone], secluded: str) -> None:
    """an agent that reaches nobody goes on enforcing its policies at its interval"""
    expect_all(apart_troubles(secluded, alone[secluded].apart.result()))


def test_handlers_are_tried_in_rounds(topology: Topology, alone: dict[str, Alone], secluded: str) -> None:
    """an agent that every handler refuses tries each by IP, FQDN and NetBIOS name, in six rounds"""
    expect_all(round_troubles(topology, topology.node(secluded), alone[secluded].apart.result().attempts))


def test_a_new_guid_keeps_the_system(alone: dict[str, Alone], secluded: str) -> None:
    """an agent that is asked for a new GUID takes one, and stays the same system"""
    expect_all(guid_troubles(secluded, alone[secluded].renewed.result()))


def test_every_agent_of_a_swarm_calls_in(witness: Witness, topology: Topology, whole: None, swarm: str) -> None:
    """each agent of a swarm is a system of its own that calls in at its time and enforces its policies"""
    expect_all(swarm_troubles(witness, topology, swarm))
