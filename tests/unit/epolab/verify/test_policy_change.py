"""Which policies give agents a setting of their own, and nothing else about them changes."""

import json
from pathlib import Path

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.policy_change import changed_settings, needed_policies, own_policy

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")


def test_only_what_is_asked_for_changes() -> None:
    node = facts.agents(TOPOLOGY)[0]
    policy = facts.policies_of(TOPOLOGY, node)["agent"]
    assert changed_settings(TOPOLOGY, node, {"asciSeconds": 300}) == {**policy.settings, "asciSeconds": 300}


def test_agents_with_the_same_settings_share_a_policy() -> None:
    agents = facts.agents(TOPOLOGY)
    found = needed_policies(TOPOLOGY, {node.path: {"asciSeconds": 300.0} for node in agents})
    assert sorted(node.path for group in found.values() for node in group) == sorted(node.path for node in agents)
    assert all(json.loads(settings)["asciSeconds"] == 300.0 for settings in found)


def test_a_policy_of_the_system_itself_is_known_so_that_it_can_be_given_back() -> None:
    assert own_policy(TOPOLOGY, facts.agents(TOPOLOGY)[0]) is None
