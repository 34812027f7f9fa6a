from collections.abc import Callable

from epolab.model.exceptions import exceptions
from epolab.model.firewall import FirewallException
from epolab.model.topology import Topology


def of(topology: Topology, path: str) -> dict[tuple[str, int, str | None], FirewallException]:
    found = exceptions(topology, topology.node(path))
    return {(e.protocol, e.port, e.owner): e for e in found}


def test_an_agent_lets_handlers_wake_it_and_hears_its_segment(quickstart: Topology) -> None:
    found = of(quickstart, "hq/hq-pc-1")
    assert set(found) == {("tcp", 8081, "mfeagent"), ("udp", 8082, "mfeagent")}
    wakeup = found["tcp", 8081, "mfeagent"]
    assert wakeup.sources_v4 == ("10.1.0.10/32", "192.0.2.10/32")
    assert wakeup.sources_v6 == ("fd00:1::10/128", "2001:db8:0:2::10/128")
    heard = found["udp", 8082, "mfeagent"]
    assert (heard.sources_v4, heard.sources_v6) == (("10.1.0.0/24",), ("fd00:1::/64", "fe80::/10"))


def test_a_relay_serves_the_other_agents_of_its_segment(quickstart: Topology) -> None:
    found = of(quickstart, "india/india-relay-1")
    assert set(found) == {
        ("tcp", 8081, "mfeagent"),
        ("udp", 8082, "cmamesh"),
        ("udp", 8083, "cmamesh"),
        ("tcp", 8083, "cmamesh"),
    }
    assert found["tcp", 8083, "cmamesh"].sources_v4 == ("10.3.0.11/32", "10.3.0.12/32", "10.3.0.13/32")
    assert "fe80::/10" in found["udp", 8083, "cmamesh"].sources_v6


def test_a_superagent_serves_the_agents_of_its_segment(quickstart: Topology) -> None:
    found = exceptions(quickstart, quickstart.node("tokyo/tokyo-sa"))
    repository = [e for e in found if e.reason == "SuperAgent repository"]
    assert [e.sources_v4 for e in repository] == [("10.2.0.11/32", "10.2.0.12/32", "10.2.0.13/32")]


def test_a_node_lets_in_what_each_of_its_components_serves(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of("epolab: 1\nsites:\n  hq:\n    nodes:\n      all: {components: [server, sql, agent, dns]}\n")
    ports = {(e.protocol, e.port) for e in exceptions(lab, lab.node("hq/all"))}
    assert {("tcp", 80), ("tcp", 443), ("tcp", 8443), ("tcp", 5432), ("tcp", 8081), ("udp", 53), ("tcp", 53)} <= ports


def test_only_handlers_reach_the_database(quickstart: Topology) -> None:
    (database,) = exceptions(quickstart, quickstart.node("hq/sql"))
    assert (database.port, database.sources_v4) == (5432, ("10.1.0.10/32", "192.0.2.10/32"))


def test_only_handlers_pass_on_to_the_server(quickstart: Topology) -> None:
    (channel,) = [each for each in exceptions(quickstart, quickstart.node("hq/epo")) if each.port == 8444]
    assert (channel.protocol, channel.owner, channel.sources_v4) == ("tcp", None, ("10.1.0.10/32", "192.0.2.10/32"))
    assert not [each for each in exceptions(quickstart, quickstart.node("dmz/handler")) if each.port == 8444]


def test_no_exception_is_said_twice(quickstart: Topology) -> None:
    for node in quickstart.nodes:
        found = exceptions(quickstart, node)
        assert len(found) == len(set(found))


def test_a_relay_is_discovered_only_where_its_policy_lets_it_listen(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of("""
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      old: {components: relay}
      new: {components: relay}
management:
  policies:
    - {name: Old, category: relay, settings: {enabled: true, discoveryPorts: [8083]}}
    - {name: New, category: relay, settings: {enabled: true, port: 9000, discoveryPorts: [8082]}}
  assignments: [{policy: Old, system: hq/old}, {policy: New, system: hq/new}]
""")
    of_all = {("tcp", 8081, "mfeagent")}
    assert set(of(lab, "hq/old")) == of_all | {
        ("udp", 8082, "mfeagent"),
        ("udp", 8083, "cmamesh"),
        ("tcp", 8083, "cmamesh"),
    }
    assert set(of(lab, "hq/new")) == of_all | {("udp", 8082, "cmamesh"), ("tcp", 9000, "cmamesh")}


def test_a_relay_on_two_networks_serves_its_first_and_is_an_agent_on_the_other(
    topology_of: Callable[[str], Topology],
) -> None:
    lab = topology_of("""
epolab: 1
sites:
  hq:
    networks: {near: {ipv4: 10.8.0.0/24}, far: {ipv4: 10.9.0.0/24}}
    nodes:
      epo: {components: [server, sql]}
      rel: {components: relay, network: [far, near]}
      pa: {components: agent, network: near}
      pb: {components: agent, network: far}
""")
    found = of(lab, "hq/rel")
    assert found["udp", 8082, "cmamesh"].sources_v4 == found["udp", 8083, "cmamesh"].sources_v4 == ("10.9.0.0/24",)
    assert found["udp", 8082, "mfeagent"].sources_v4 == ("10.8.0.0/24",)
    assert found["tcp", 8083, "cmamesh"].sources_v4 == ("10.9.0.11/32",)


def test_a_node_lets_in_the_router_of_whoever_is_behind_nat(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of("""
epolab: 1
sites:
  hq: {nodes: {epo: {components: server}, sql: {components: sql}}}
  home: {nat: true, nodes: {ah: {components: handler}, pc: {components: agent}}}
wan:
  - {between: [hq, home]}
""")
    line = next(i for i in lab.node("home/router").interfaces if i.link is not None)
    database = of(lab, "hq/sql")["tcp", 5432, "postgres"]
    assert database.sources_v4 == (f"{lab.node('hq/epo').ipv4}/32", f"{line.ipv4.ip}/32")
    assert database.sources_v6 == (f"{lab.node('hq/epo').ipv6}/128", f"{line.ipv6.ip}/128")
    inside = of(lab, "home/pc")["tcp", 8081, "mfeagent"]
    assert inside.sources_v4 == (f"{lab.node('hq/epo').ipv4}/32", f"{lab.node('home/ah').ipv4}/32")


def test_a_node_to_push_an_agent_to_lets_in_handlers_and_has_the_agents_exceptions(
    topology_of: Callable[[str], Topology],
) -> None:
    text = "epolab: 1\nsites:\n  hq:\n    nodes:\n      epo: {components: [server, sql]}\n"
    topology = topology_of(text + "      bare: {components: [pushable]}\n")
    found = of(topology, "hq/bare")
    assert set(found) == {("tcp", 22, None), ("tcp", 8081, "mfeagent"), ("udp", 8082, "mfeagent")}
    assert found["tcp", 22, None].sources_v4 == (f"{topology.node('hq/epo').ipv4}/32",)
