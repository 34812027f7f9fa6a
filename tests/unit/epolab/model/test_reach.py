from collections.abc import Callable

from epolab.model import reach
from epolab.model.topology import Topology

LAB = """
epolab: 1
sites:
  hq:
    nodes: {epo: {components: [server, sql]}}
  middle:
    firewall:
      rules:
        - deny: {from: far/pc, to: hq, ports: 25}
  far:
    networks: {a: {}, b: {}}
    nodes:
      pc: {components: agent, network: a}
      tv: {components: agent, network: b}
    firewall:
      default: deny
      rules:
        - allow: {from: far, to: hq, protocol: tcp}
        - allow: {from: hq/epo, to: pc, ports: [8081]}
        - deny: {to: tv}
wan:
  - between: [hq, middle]
  - between: [middle, far]
"""


def test_the_first_rule_that_matches_decides_at_every_site_on_the_way(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(LAB)
    epo, pc, tv = (lab.node(path) for path in ("hq/epo", "far/pc", "far/tv"))
    assert reach.reachable(lab, pc, epo, "tcp", 443)
    assert not reach.reachable(lab, pc, epo, "udp", 53)
    assert not reach.reachable(lab, pc, epo, "tcp", 25)
    assert reach.reachable(lab, tv, epo, "tcp", 25)
    assert reach.reachable(lab, epo, pc, "tcp", 8081)
    assert not reach.reachable(lab, epo, pc, "tcp", 8082)
    assert not reach.reachable(lab, epo, tv, "tcp", 8081)


def test_two_networks_of_one_site_meet_at_its_router(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(LAB)
    assert not reach.reachable(lab, lab.node("far/pc"), lab.node("far/tv"), "tcp", 80)


def test_a_router_of_the_site_is_not_forwarded_to(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(LAB)
    assert reach.reachable(lab, lab.node("far/tv"), lab.node("far/router"), "udp", 53)
    assert not reach.reachable(lab, lab.node("far/tv"), lab.node("middle/router"), "udp", 53)


def test_relays_get_out_of_india_and_nobody_else(quickstart: Topology) -> None:
    epo = quickstart.node("hq/epo")
    through = {n.name for n in quickstart.site("india").nodes if reach.reachable(quickstart, n, epo, "tcp", 443)}
    assert through == {"router", "india-relay-1", "india-relay-2"}


def test_names_become_networks_with_the_transit_ends_of_the_site(quickstart: Topology) -> None:
    v4, v6 = reach.cidrs_of(quickstart, "dmz")
    assert v4 == ("192.0.2.0/24", "100.64.2.2/32")
    assert v6 == ("2001:db8:0:2::/64", "fd00:64:2::2/128")
    assert reach.cidrs_of(quickstart, "any") == (("0.0.0.0/0",), ("::/0",))
    assert reach.cidrs_of(quickstart, "hq/epo") == (("10.1.0.10/32",), ("fd00:1::10/128",))


def test_rules_for_a_router_keep_their_order(topology_of: Callable[[str], Topology]) -> None:
    rules = reach.forward_rules(topology_of(LAB), "far")
    assert [(r.action, r.protocol, r.ports) for r in rules] == [
        ("allow", "tcp", ()),
        ("allow", "tcp", (8081,)),
        ("deny", None, ()),
    ]
    assert rules[2].sources_v4 == ("0.0.0.0/0",) and rules[2].sources_v6 == ("::/0",)


def test_a_node_on_two_networks_is_reached_at_its_first(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(LAB.replace("tv: {components: agent, network: b}", "tv: {components: agent, network: [b, a]}"))
    pc, tv = lab.node("far/pc"), lab.node("far/tv")
    assert not reach.reachable(lab, pc, tv, "tcp", 80)
    assert reach.reachable(lab, tv, pc, "tcp", 80)
