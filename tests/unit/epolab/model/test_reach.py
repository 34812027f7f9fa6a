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


NAT = """
epolab: 1
sites:
  hq:
    nodes: {epo: {components: [server, sql]}, pc: {components: agent}}
    firewall:
      rules:
        - deny: {from: home/pc, to: pc}
        - deny: {from: home, to: epo, ports: 25}
  home:
    nat: true
    networks: {lan: {ipv4: 10.9.0.0/24, ipv6: "fd00:9::/64"}}
    nodes: {pc: {components: agent}, ah: {components: handler}}
  cabin:
    nodes: {pc: {components: agent}}
wan:
  - between: [hq, home]
  - between: [home, cabin]
"""


def test_nobody_outside_opens_a_connection_into_a_site_behind_nat(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(NAT)
    epo, pc, far = lab.node("hq/epo"), lab.node("home/pc"), lab.node("cabin/pc")
    assert reach.reachable(lab, pc, epo, "tcp", 443)
    assert not reach.reachable(lab, epo, pc, "tcp", 8081)
    assert not reach.reachable(lab, epo, lab.node("home/router"), "udp", 53)
    assert reach.reachable(lab, lab.node("home/ah"), pc, "tcp", 8081)
    assert reach.reachable(lab, far, epo, "tcp", 443), "what only passes through is not hidden"
    assert [n.path for n in lab.nodes if reach.hidden(lab, epo, n)] == ["home/router", "home/pc", "home/ah"]


def test_other_sites_see_the_router_of_a_site_behind_nat(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(NAT)
    epo, pc, inner = lab.node("hq/epo"), lab.node("home/pc"), lab.node("home/ah")
    assert reach.reachable(lab, pc, lab.node("hq/pc"), "tcp", 80), "a rule about a hidden node is about nobody"
    assert not reach.reachable(lab, pc, epo, "tcp", 25)
    assert reach.seen_as(lab, pc, "hq").path == "home/router"
    assert reach.seen_as(lab, pc, "home") == pc
    lines = [i for i in lab.node("home/router").interfaces if i.link is not None]
    wanted = tuple(f"{i.ipv4.ip}/32" for i in lines), tuple(f"{i.ipv6.ip}/128" for i in lines)
    assert reach.seen_cidrs(lab, pc, epo) == wanted
    assert reach.seen_cidrs(lab, pc, inner) == reach.host_cidrs(pc)
    assert reach.seen_cidrs(lab, epo, pc) == reach.host_cidrs(epo)
