from collections.abc import Callable

from epolab.model import facts, site_lists
from epolab.model.topology import Topology

LAB = """
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      ah: {components: handler}
      ah2: {components: handler}
  shop:
    networks:
      tills: {ipv4: 10.7.0.0/24}
      office: {ipv4: 10.8.0.0/24}
    nodes:
      sa: {components: superagent, network: tills}
      till: {components: agent, network: tills}
      pc: {components: agent, network: office}
      slow: {components: agent, network: office, asci: 300s}
      rel: {components: [relay, superagent], network: office}
wan: [{between: [hq, shop]}]
management:
  groups:
    shop/night: {systems: shop/pc}
  policies:
    - {name: Port, category: agent, settings: {wakeupPort: 8591, asciSeconds: 20}}
    - {name: No repository, category: superagent, settings: {enabled: true}}
  assignments:
    - {policy: Port, group: shop}
    - {policy: No repository, system: shop/rel}
  handlers:
    - {subnet: 10.7.0.0/24, use: [hq/ah, hq/epo]}
    - {group: shop/night, use: hq/ah2}
"""


TWO_ON_A_SEGMENT = """
epolab: 1
sites:
  hq: {nodes: {epo: {components: [server, sql]}}}
  shop:
    nodes:
      sa: {components: superagent, count: 2}
      pc: {components: agent, count: 4}
wan: [{between: [hq, shop]}]
"""


def paths(nodes: tuple[object, ...]) -> list[str]:
    return [getattr(node, "path", "") for node in nodes]


def test_handler_rules_apply_in_order_by_subnet_and_group(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(LAB)
    order = {n.name: paths(site_lists.handler_order(lab, n)) for n in lab.nodes if n.has("agent")}
    assert order["till"] == ["hq/ah", "hq/epo"]
    assert order["pc"] == ["hq/ah2"]
    assert order["slow"] == ["hq/epo", "hq/ah", "hq/ah2"]


def test_policies_are_inherited_down_the_tree(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(LAB)
    pc, slow, rel = (lab.node(f"shop/{name}") for name in ("pc", "slow", "rel"))
    assert site_lists.policies_of(lab, pc)["agent"].settings["asciSeconds"] == 20
    assert site_lists.policies_of(lab, slow)["agent"].settings["asciSeconds"] == 300
    assert site_lists.policies_of(lab, slow)["agent"].settings["wakeupPort"] == 8591
    assert site_lists.policies_of(lab, pc)["relay"].settings["enabled"] is False
    assert site_lists.policies_of(lab, rel)["relay"].settings["enabled"] is True
    assert site_lists.policies_of(lab, rel)["superagent"].settings["repository"] is False
    assert (pc.asci_seconds, slow.asci_seconds) == (20, 300)
    assert site_lists.wakeup_port(lab, pc) == 8591
    assert site_lists.relay_port(lab, rel) == 8083


def test_a_group_knows_what_is_above_it() -> None:
    assert site_lists.group_lineage("a/b") == ("a/b", "a", "")
    assert site_lists.group_lineage("") == ("",)


def test_repositories_are_listed_nearest_first(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(LAB)
    assert paths(site_lists.site_list(lab, lab.node("shop/till")).repositories)[0] == "shop/sa"
    assert site_lists.repository_of(lab, lab.node("shop/till")).path == "shop/sa"
    assert site_lists.repository_of(lab, lab.node("shop/sa")).path == "shop/sa"


def test_a_superagent_serves_its_segment_and_no_other_of_the_site(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(LAB)
    assert paths(site_lists.repository_clients(lab, lab.node("shop/sa"))) == ["shop/till"]
    assert site_lists.repository_of(lab, lab.node("shop/pc")).path == "hq/ah2"
    assert site_lists.repository_of(lab, lab.node("shop/slow")).path == "hq/epo"


def test_of_two_superagents_on_a_segment_the_nearest_address_serves(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(TWO_ON_A_SEGMENT)
    # .14 differs from .10 by 4 and from .11 by 5, .15 the other way round
    clients = {sa: paths(site_lists.repository_clients(lab, lab.node(f"shop/{sa}"))) for sa in ("sa-1", "sa-2")}
    assert clients == {"sa-1": ["shop/pc-1", "shop/pc-3"], "sa-2": ["shop/pc-2", "shop/pc-4"]}
    assert site_lists.repository_of(lab, lab.node("shop/sa-2")).path == "shop/sa-2"


def test_an_agent_without_a_repository_at_its_site_takes_from_its_handler(quickstart: Topology) -> None:
    pc = quickstart.node("hq/hq-pc-1")
    assert site_lists.repository_of(quickstart, pc).path == "hq/epo"
    clients = site_lists.repository_clients(quickstart, quickstart.node("tokyo/tokyo-sa"))
    assert paths(clients) == ["tokyo/tokyo-pc-1", "tokyo/tokyo-pc-2", "tokyo/tokyo-pc-3"]


def test_agents_behind_the_firewall_need_the_relays_of_their_segment(quickstart: Topology) -> None:
    pc, relay = quickstart.node("india/india-pc-1"), quickstart.node("india/india-relay-1")
    assert site_lists.needs_relay(quickstart, pc) and not site_lists.needs_relay(quickstart, relay)
    assert paths(site_lists.relays_for(quickstart, pc)) == ["india/india-relay-1", "india/india-relay-2"]
    assert paths(site_lists.relays_for(quickstart, relay)) == ["india/india-relay-2"]
    assert "india/india-pc-1" in paths(site_lists.relay_clients(quickstart, relay))
    assert site_lists.wakers(quickstart, pc) == ()
    assert paths(site_lists.wakers(quickstart, relay)) == ["hq/epo", "dmz/handler"]
    assert site_lists.missing_handlers(quickstart, relay, pc) == ()


def test_a_relay_with_a_shorter_list_lacks_what_its_client_has(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(LAB)
    assert paths(site_lists.missing_handlers(lab, lab.node("shop/pc"), lab.node("shop/till"))) == ["hq/ah", "hq/epo"]


TWO_NETWORKS = """
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      ah: {components: handler}
  shop:
    networks:
      tills: {ipv4: 10.7.0.0/24}
      office: {ipv4: 10.8.0.0/24}
    nodes:
      sa: {components: superagent, network: [tills, office]}
      till: {components: agent, network: tills}
      pc: {components: agent, network: office}
      both: {components: agent, network: [office, tills]}
wan: [{between: [hq, shop]}]
management:
  handlers:
    - {subnet: 10.7.0.0/24, use: hq/ah}
    - {group: shop, subnet: 10.8.0.0/24, use: [hq/ah, hq/epo]}
    - {group: hq, subnet: 10.8.0.0/24, use: hq/epo}
"""


def test_a_superagent_on_two_networks_serves_its_first(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(TWO_NETWORKS)
    sa, pc = lab.node("shop/sa"), lab.node("shop/pc")
    assert site_lists.served_segment(sa) == "shop/tills"
    assert paths(site_lists.repository_clients(lab, sa)) == ["shop/till", "shop/both"]
    assert site_lists.repository_of(lab, lab.node("shop/both")) == sa
    assert site_lists.repository_of(lab, pc).path == "hq/ah"


def test_a_rule_for_a_group_and_a_subnet_is_for_agents_that_are_in_both(
    topology_of: Callable[[str], Topology],
) -> None:
    lab = topology_of(TWO_NETWORKS)
    assert paths(site_lists.handler_order(lab, lab.node("shop/pc"))) == ["hq/ah", "hq/epo"]
    outside = topology_of(TWO_NETWORKS.replace("{group: shop, ", "{group: shop/1_SuperAgents, "))
    assert site_lists.handler_rule(outside, outside.node("shop/pc")).name == "Default rule"


def test_a_subnet_is_matched_by_the_first_address_which_agents_report(
    topology_of: Callable[[str], Topology],
) -> None:
    lab = topology_of(TWO_NETWORKS)
    assert paths(site_lists.handler_order(lab, lab.node("shop/both"))) == ["hq/ah", "hq/epo"]
    assert paths(site_lists.handler_order(lab, lab.node("shop/sa"))) == ["hq/ah"]


TIERS = """
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      ah: {components: handler, count: 2}
      pc: {components: agent}
  shop: {nodes: {till: {components: agent}}}
  bank: {nodes: {atm: {components: agent}}}
wan: [{between: [hq, shop]}, {between: [hq, bank]}]
management:
  handler_groups:
    Pair: {handlers: [hq/ah-2, hq/ah-1]}
    Either: {handlers: [hq/ah-1, hq/epo], spread: true}
  handlers:
    - {group: hq, use: all}
    - {group: shop, use: [hq/ah-1, Pair, hq/epo]}
    - {group: bank, use: [Either, Pair]}
"""


def test_handlers_of_equal_rank_make_a_tier_and_each_is_named_once(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(TIERS)
    tiers = {n.name: [paths(tier) for tier in site_lists.handler_tiers(lab, n)] for n in lab.nodes if n.has("agent")}
    assert tiers == {
        "pc": [["hq/epo", "hq/ah-1", "hq/ah-2"]],
        "till": [["hq/ah-1"], ["hq/ah-2"], ["hq/epo"]],
        "atm": [["hq/ah-1", "hq/epo"], ["hq/ah-2"]],
    }
    assert paths(site_lists.handler_order(lab, lab.node("bank/atm"))) == ["hq/ah-1", "hq/epo", "hq/ah-2"]


RELAYS = """
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      old: {components: relay}
      new: {components: relay}
      pc: {components: agent}
      pc5: {components: agent, version: 5.6.0}
management:
  policies:
    - {name: Old, category: relay, settings: {enabled: true, discoveryPorts: [8083]}}
    - {name: New, category: relay, settings: {enabled: true, discoveryPorts: [8082]}}
  assignments: [{policy: Old, system: hq/old}, {policy: New, system: hq/new}]
"""


def test_an_agent_finds_the_relays_that_listen_where_its_version_asks(
    topology_of: Callable[[str], Topology],
) -> None:
    lab = topology_of(RELAYS)
    pc, pc5 = lab.node("hq/pc"), lab.node("hq/pc5")
    assert (site_lists.discovery_port(pc), site_lists.discovery_port(pc5)) == (8083, 8082)
    assert paths(site_lists.relays_for(lab, pc)) == ["hq/old"]
    assert paths(site_lists.relays_for(lab, pc5)) == ["hq/new"]
    assert site_lists.discovery_ports(lab, lab.node("hq/old")) == (8083,)


def test_a_relay_on_two_networks_serves_its_first(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(TWO_NETWORKS.replace("sa: {components: superagent,", "sa: {components: relay,"))
    assert paths(site_lists.relay_clients(lab, lab.node("shop/sa"))) == ["shop/till", "shop/both"]
    assert paths(site_lists.relays_for(lab, lab.node("shop/both"))) == ["shop/sa"]
    assert site_lists.relays_for(lab, lab.node("shop/pc")) == ()


def test_a_swarm_has_a_group_of_its_own_and_its_interval_there(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of("""epolab: 1
asci: 5s
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      vendor: {components: updates}
      crowd: {swarm: 300, asci: 60s}
""")
    crowd = lab.node("hq/crowd")
    assert (crowd.components, crowd.swarm, crowd.asci_seconds) == (("swarm",), 300, 60.0)
    assert facts.swarms(lab) == (crowd,)
    assert facts.group_of(lab, crowd) == facts.swarm_group(crowd) == "hq/crowd"
    assert ("hq/crowd", ()) in [(group.path, group.systems) for group in lab.management.groups]
    assert facts.policies_of(lab, crowd)["agent"].settings["asciSeconds"] == 60


VERSIONS = """
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      ah: {components: [handler]}
      old: {components: [agent], version: 4.0.0}
      new: {components: [agent], version: 4.5.0}
"""


def test_an_agent_before_4_5_is_woken_by_its_first_handler_only(topology_of: Callable[[str], Topology]) -> None:
    topology = topology_of(VERSIONS)
    assert paths(site_lists.wakers(topology, topology.node("hq/old"))) == ["hq/epo"]
    assert paths(site_lists.wakers(topology, topology.node("hq/new"))) == ["hq/epo", "hq/ah"]


def test_a_relay_of_5_serves_its_wakeup_port_unless_it_has_one_of_its_own(
    topology_of: Callable[[str], Topology],
) -> None:
    text = """
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      old: {components: relay, version: 4.8.0}
      new: {components: relay, version: 5.6.0}
      own: {components: relay, version: 5.6.0}
      pc: {components: agent}
management:
  policies:
    - {name: Port, category: agent, settings: {wakeupPort: 8591}}
    - {name: Own, category: relay, settings: {enabled: true, port: 9083, ownPort: true}}
  assignments:
    - {policy: Port, group: hq}
    - {policy: Own, system: hq/own}
"""
    topology = topology_of(text)
    ports = {name: facts.relay_port(topology, topology.node(f"hq/{name}")) for name in ("old", "new", "own")}
    assert ports == {"old": 8083, "new": 8591, "own": 9083}
    owners = {
        name: {e.owner for e in facts.exceptions(topology, topology.node(f"hq/{name}")) if e.reason == "relay"}
        for name in ports
    }
    assert owners == {"old": {"cmamesh"}, "new": {"mfeagent"}, "own": {"cmamesh"}}


def test_an_agent_that_may_not_look_for_relays_has_none(topology_of: Callable[[str], Topology]) -> None:
    text = """
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      rel: {components: relay}
      pc: {components: agent}
      mute: {components: agent}
      old: {components: agent, version: 4.6.0}
management:
  policies:
    - {name: Mute, category: relay, settings: {discover: never}}
  assignments:
    - {policy: Mute, system: hq/mute}
"""
    topology = topology_of(text)
    assert paths(facts.relays_for(topology, topology.node("hq/pc"))) == ["hq/rel"]
    assert facts.relays_for(topology, topology.node("hq/mute")) == ()
    assert facts.relays_for(topology, topology.node("hq/old")) == (), "agents look for relays since 4.8"


def test_a_swarm_is_many_systems_and_a_client_of_its_relays(topology_of: Callable[[str], Topology]) -> None:
    crowd = "      crowd: {swarm: 3, network: office}\n"
    lab = topology_of(LAB.replace("      rel:", f"{crowd}      rel:"))
    assert site_lists.systems_of(lab.node("shop/crowd")) == tuple(f"crowd-000{n}.shop.test" for n in (1, 2, 3))
    assert site_lists.systems_of(lab.node("shop/pc")) == ("pc.shop.test",)
    assert site_lists.systems_of(lab.node("hq/epo")) == ()
    assert paths(site_lists.relay_clients(lab, lab.node("shop/rel"))) == ["shop/pc", "shop/slow", "shop/crowd"]
