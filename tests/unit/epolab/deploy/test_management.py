"""The management tree as variables: systems by full name, everything the topology declares."""

from pathlib import Path

from epolab.deploy.management import management_variables
from epolab.topology import load_topology

SWARM = """epolab: 1
name: crowd
sites:
  hq:
    nodes:
      epo: {components: [server]}
      sql: {components: [sql]}
      crowd: {swarm: 2}
"""
TOPOLOGY = Path(__file__).parents[4] / "topologies" / "quickstart.yaml"


def test_systems_go_by_their_full_names() -> None:
    variables = management_variables(load_topology(TOPOLOGY))
    systems = [name for group in variables["management_groups"] for name in group["systems"]]
    assert "tokyo-pc-1.tokyo.test" in systems
    assert len(systems) == len(set(systems)) == 9


def test_a_swarms_agents_are_systems_of_the_swarms_own_group(tmp_path: Path) -> None:
    (tmp_path / "crowd.yaml").write_text(SWARM)
    groups = management_variables(load_topology(tmp_path / "crowd.yaml"))["management_groups"]
    assert {group["path"]: group["systems"] for group in groups}["hq/crowd"] == [
        "crowd-0001.hq.test",
        "crowd-0002.hq.test",
    ]


def test_everything_is_there_and_in_order() -> None:
    topology = load_topology(TOPOLOGY)
    variables = management_variables(topology)
    assert [policy["name"] for policy in variables["management_policies"]] == [
        policy.name for policy in topology.management.policies
    ]
    assert {a["policy"] for a in variables["management_assignments"]} <= {
        policy["name"] for policy in variables["management_policies"]
    }
    rules = variables["management_handler_rules"]
    assert rules[0]["use"] == ["dmz/handler", "hq/epo"]
    assert (rules[-1]["group"], list(rules[-1]["subnets"])) == (None, [])
    assert [task["type"] for task in variables["management_tasks"]] == ["update"]
