from collections.abc import Callable

from epolab.model.firewall import FirewallRule
from epolab.model.topology import Topology

LAB = """
epolab: 1
description: A lab
sites:
  hq:
    nodes:
      epo: {components: [server, sql], memory: 2GiB, image: epolab/node:own}
      pc: {components: agent, kind: vm, version: 5.6.1, count: 2}
    firewall:
      rules:
        - allow: {from: pc, to: hq, ports: [443, 443, 80]}
        - deny: {}
"""


def test_nodes_have_what_was_written_and_defaults_for_the_rest(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(LAB)
    epo, pc = lab.node("hq/epo"), lab.node("hq/pc-1")
    assert (epo.memory_mib, epo.image, epo.kind, epo.version) == (2048, "epolab/node:own", "container", "4.8.0")
    assert (pc.memory_mib, pc.image, pc.kind, pc.version) == (512, None, "vm", "5.6.1")
    assert (lab.name, lab.description, lab.asci_seconds) == ("lab", "A lab", 10.0)


def test_firewall_rules_name_nodes_by_path(topology_of: Callable[[str], Topology]) -> None:
    assert topology_of(LAB).site("hq").firewall.rules == (
        FirewallRule("allow", ("hq/pc-1", "hq/pc-2"), ("hq",), "tcp", (443, 80)),
        FirewallRule("deny", ("any",), ("any",), None, ()),
    )


def test_the_same_text_gives_the_same_topology(topology_of: Callable[[str], Topology]) -> None:
    assert topology_of(LAB) == topology_of(LAB)


def test_a_node_more_at_the_end_changes_no_address_before_it(topology_of: Callable[[str], Topology]) -> None:
    before = topology_of(LAB)
    after = topology_of(LAB.replace("    firewall:", "      tv: {components: agent}\n    firewall:"))
    assert [n.interfaces for n in before.nodes] == [n.interfaces for n in after.nodes if n.name != "tv"]


def test_the_quickstart_is_what_it_promises(quickstart: Topology) -> None:
    assert [site.name for site in quickstart.sites] == ["internet", "hq", "dmz", "tokyo", "india"]
    tokyo, india = quickstart.link("hq-tokyo"), quickstart.link("hq-india")
    assert (tokyo.a_to_b.rate_bps, tokyo.a_to_b.delay_ms) == (10_000_000, 40.0)
    assert (india.b_to_a.rate_bps, india.b_to_a.delay_ms, india.b_to_a.loss_ratio) == (2_000_000, 60.0, 0.001)
    assert not quickstart.link("hq-dmz").shaped and not quickstart.link("hq-internet").shaped
    assert {node.asci_seconds for node in quickstart.nodes} == {5.0}
    assert all(len(node.name) <= 15 for node in quickstart.nodes)


def test_a_superagent_whose_policy_says_so_keeps_no_repository(topology_of: Callable[[str], Topology]) -> None:
    lab = LAB.replace(
        "    firewall:", "      sa: {components: superagent}\n      sb: {components: superagent}\n    firewall:"
    )
    managed = """
management:
  policies: [{name: Bare, category: superagent, settings: {enabled: true, repository: false}}]
  assignments: [{policy: Bare, system: hq/sb}]
"""
    assert [r.node for r in topology_of(lab + managed).management.repositories] == ["hq/sa"]


def test_a_site_is_behind_nat_where_it_says_so(topology_of: Callable[[str], Topology]) -> None:
    text = "epolab: 1\nsites:\n  hq: {nodes: {epo: {components: [server, sql]}}}\n"
    behind = (
        text + "  shop: {nat: true, nodes: {pc: {components: agent, platform: AIX}}}\nwan: [{between: [hq, shop]}]\n"
    )
    lab = topology_of(behind)
    assert [(site.name, site.nat) for site in lab.sites] == [("hq", False), ("shop", True)]
    assert lab.node("shop/pc").platform == "AIX"
