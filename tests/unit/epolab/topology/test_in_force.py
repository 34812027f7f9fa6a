from collections.abc import Callable

import pytest

from epolab.model import facts
from epolab.model.management import Repository
from epolab.model.topology import Topology
from epolab.topology.in_force import default_memory_mib, roles_in_force

LAB = """epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      vendor: {components: updates}
      pc: {components: agent, count: 3}
management:
  groups: {night: {systems: hq/pc-2}}
  policies:
    - {name: On, category: relay, settings: {enabled: true}}
    - {name: Keeps, category: superagent, settings: {enabled: true, repository: true}}
    - {name: Bare, category: superagent, settings: {enabled: true}}
  assignments:
"""

TopologyOf = Callable[[str], Topology]


@pytest.mark.parametrize("target", ["system: hq/pc-2", "group: night"])
def test_a_policy_alone_makes_a_relay(topology_of: TopologyOf, target: str) -> None:
    lab = topology_of(LAB + f"    - {{policy: On, {target}}}\n")
    assert [node.path for node in facts.relays(lab)] == ["hq/pc-2"]
    relay = lab.node("hq/pc-2")
    assert relay.components == ("agent", "relay")
    assert ("tcp", 8083, "cmamesh") in {(e.protocol, e.port, e.owner) for e in facts.exceptions(lab, relay)}
    assert relay.memory_mib == default_memory_mib("container", ("agent", "relay")) > lab.node("hq/pc-1").memory_mib


def test_a_policy_alone_makes_a_repository(topology_of: TopologyOf) -> None:
    lab = topology_of(LAB + "    - {policy: Keeps, system: hq/pc-2}\n    - {policy: Bare, system: hq/pc-3}\n")
    assert [node.path for node in facts.superagents(lab)] == ["hq/pc-2", "hq/pc-3"]
    assert lab.management.repositories == (Repository("ePOSA_PC-2", "hq/pc-2", "superagent"),)
    assert [node.path for node in facts.repository_clients(lab, lab.node("hq/pc-2"))] == ["hq/pc-1", "hq/pc-3"]
    assert facts.repository_of(lab, lab.node("hq/pc-1")).path == "hq/pc-2"


def test_a_policy_at_the_root_is_for_every_agent(topology_of: TopologyOf) -> None:
    lab = topology_of(LAB + "    - {policy: On, group: My Organization}\n")
    assert [node.path for node in facts.relays(lab)] == ["hq/pc-1", "hq/pc-2", "hq/pc-3"]
    assert roles_in_force(lab, lab.node("hq/epo")) == frozenset()


def test_a_declared_repository_has_its_name(topology_of: TopologyOf) -> None:
    named = LAB + "    - {policy: Keeps, system: hq/pc-2}\n  repositories: [{node: hq/pc-2, name: Branch}]\n"
    assert [each.name for each in topology_of(named).management.repositories] == ["Branch"]


def test_a_component_is_shorthand_for_the_same(topology_of: TopologyOf) -> None:
    short = LAB.replace("agent, count: 3", "repository, count: 3").replace("  assignments:\n", "")
    lab = topology_of(short.replace("  groups: {night: {systems: hq/pc-2}}\n", ""))
    assert lab.node("hq/pc-3").components == ("agent", "superagent", "repository")
    assert len(facts.repositories(lab)) == 3


def test_memory_that_is_written_stays(topology_of: TopologyOf) -> None:
    lab = topology_of(LAB.replace("count: 3", "count: 3, memory: 99MiB") + "    - {policy: On, system: hq/pc-2}\n")
    assert lab.node("hq/pc-2").memory_mib == 99
    assert default_memory_mib("vm", ("agent", "relay")) == 512


def test_an_agent_that_cannot_be_a_relay_is_none_by_policy(topology_of: TopologyOf) -> None:
    text = LAB.replace("agent, count: 3", "agent, version: 4.6.0}\n      ibm: {components: agent, platform: AIX")
    lab = topology_of(
        text.replace("systems: hq/pc-2", "systems: hq/pc") + "    - {policy: On, group: My Organization}\n"
    )
    assert facts.relays(lab) == ()
    assert [node.path for node in facts.agents(lab) if facts.refuses_relay(lab, node)] == ["hq/pc", "hq/ibm"]


def test_each_agent_of_a_swarm_is_reckoned_with() -> None:
    alone = default_memory_mib("container", ("swarm",))
    assert default_memory_mib("container", ("swarm",), 1024) == alone + 60
    assert default_memory_mib("vm", ("swarm",), 1) == default_memory_mib("vm", ("swarm",)) + 1
