"""Which policies a change needs, and that nothing but what is asked for changes."""

import json
from pathlib import Path

from epolab.model import facts
from epolab.topology import load_topology
from epolab.verify.policy_change import changed_settings, names_of, needed_policies, own_policy, undo_calls

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
AGENTS = facts.agents(TOPOLOGY)


def test_only_the_named_setting_changes() -> None:
    policy = facts.policies_of(TOPOLOGY, AGENTS[0])["agent"]
    assert changed_settings(TOPOLOGY, AGENTS[0], {"asciSeconds": 9.0}) == {**policy.settings, "asciSeconds": 9.0}


def test_agents_with_the_same_settings_share_a_policy() -> None:
    found = needed_policies(TOPOLOGY, {node.path: {"asciSeconds": 9.0} for node in AGENTS})
    assert sorted(node.path for group in found.values() for node in group) == sorted(node.path for node in AGENTS)
    assert all(json.loads(settings)["asciSeconds"] == 9.0 for settings in found)


def test_agents_with_different_changes_do_not() -> None:
    first, second = AGENTS[:2]
    found = needed_policies(TOPOLOGY, {first.path: {"asciSeconds": 1.0}, second.path: {"asciSeconds": 2.0}})
    assert list(found.values()) == [[first], [second]]


def test_a_policy_of_the_system_itself_is_known_so_that_it_can_be_given_back() -> None:
    assert own_policy(TOPOLOGY, AGENTS[0]) is None


def test_systems_are_named_by_their_full_names() -> None:
    assert names_of(AGENTS[:2]) == f"{AGENTS[0].fqdn},{AGENTS[1].fqdn}"


def test_taking_back_may_be_repeated_because_it_names_no_policy_that_it_deletes() -> None:
    calls = undo_calls(TOPOLOGY, AGENTS[:2], ["7", "8"], {}, wake=True)
    assert [(command, words.get("objectId")) for command, words in calls] == [
        ("miniepo.deletePolicy", "7"),
        ("miniepo.deletePolicy", "8"),
        ("system.wakeupAgent", None),
    ]


def test_a_system_gets_its_own_policy_again_before_ours_goes(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    nodes = "epo: {components: [server]}, sql: {components: [sql]}, pc: {components: [agent], asci: 7s}"
    file.write_text(f"epolab: 1\nname: own\nsites:\n  hq:\n    nodes: {{{nodes}}}\n")
    topology = load_topology(file)
    name = own_policy(topology, topology.node("hq/pc"))
    assert name is not None
    calls = undo_calls(topology, [topology.node("hq/pc")], ["7"], {name: "3"}, wake=False)
    assert [(command, words["objectId"]) for command, words in calls] == [
        ("policy.assignToSystem", "3"),
        ("miniepo.deletePolicy", "7"),
    ]
