"""Which policies make agents slow, and nothing else about them changes."""

import json
from pathlib import Path

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.slow import SLOW_ASCI_SECONDS, own_policy, settings_of, slow_policies

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")


def test_only_the_interval_changes() -> None:
    node = facts.agents(TOPOLOGY)[0]
    policy = facts.policies_of(TOPOLOGY, node)["agent"]
    assert settings_of(TOPOLOGY, node) == {**policy.settings, "asciSeconds": SLOW_ASCI_SECONDS}


def test_agents_with_the_same_settings_share_a_policy() -> None:
    agents = facts.agents(TOPOLOGY)
    found = slow_policies(TOPOLOGY, agents)
    assert sorted(node.path for group in found.values() for node in group) == sorted(node.path for node in agents)
    assert all(json.loads(settings)["asciSeconds"] == SLOW_ASCI_SECONDS for settings in found)


def test_a_policy_of_the_system_itself_is_known_so_that_it_can_be_given_back() -> None:
    assert own_policy(TOPOLOGY, facts.agents(TOPOLOGY)[0]) is None
