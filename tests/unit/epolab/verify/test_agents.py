"""The port an agent is called on."""

from dataclasses import replace
from pathlib import Path

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.agents import port_of

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "minimal.yaml")


def test_the_port_is_the_policys_or_8081() -> None:
    agent = facts.agents(TOPOLOGY)[0]
    assert port_of(TOPOLOGY, agent) == 8081
    policies = tuple(
        replace(policy, settings={**policy.settings, "wakeupPort": 8591}) if policy.category == "agent" else policy
        for policy in TOPOLOGY.management.policies
    )
    assert port_of(replace(TOPOLOGY, management=replace(TOPOLOGY.management, policies=policies)), agent) == 8591
