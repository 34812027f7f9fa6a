from collections.abc import Callable

from epolab.model import roles
from epolab.model.topology import Topology

DNS = """
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql, handler]}
      names: {components: dns}
  branch:
    nodes:
      gate: {components: router}
      pc: {components: agent}
wan: [{between: [hq, branch]}]
"""


def test_everyone_of_the_quickstart_is_in_place(quickstart: Topology) -> None:
    assert roles.server(quickstart).path == "hq/epo"
    assert roles.sql(quickstart).path == "hq/sql"
    assert [n.path for n in roles.handlers(quickstart)] == ["hq/epo", "dmz/handler"]
    assert [n.path for n in roles.repositories(quickstart)] == ["tokyo/tokyo-sa"]
    assert [n.path for n in roles.superagents(quickstart)] == ["tokyo/tokyo-sa"]
    assert [n.name for n in roles.relays(quickstart)] == ["india-relay-1", "india-relay-2"]
    assert len(roles.agents(quickstart)) == 9
    assert [n.path for n in roles.routers(quickstart)] == [f"{site.name}/router" for site in quickstart.sites]


def test_a_server_with_the_word_handler_is_one_handler(topology_of: Callable[[str], Topology]) -> None:
    assert [n.path for n in roles.handlers(topology_of(DNS))] == ["hq/epo"]


def test_a_lab_may_be_without_updates(topology_of: Callable[[str], Topology]) -> None:
    assert roles.updates(topology_of(DNS)) is None


def test_names_come_from_a_name_server_of_the_site_or_the_nearest(topology_of: Callable[[str], Topology]) -> None:
    lab = topology_of(DNS)
    served = {node.path: roles.resolver(lab, node) for node in lab.nodes}
    assert {path: node.path for path, node in served.items() if node} == {
        "hq/router": "hq/router",
        "hq/epo": "hq/names",
        "hq/names": "hq/names",
        "branch/gate": "hq/names",
        "branch/pc": "hq/names",
    }


def test_every_node_has_a_name_in_both_families_and_the_vendor_an_alias(quickstart: Topology) -> None:
    entries = roles.hosts(quickstart)
    named = {fqdn for _, fqdn, _ in entries}
    assert named == {node.fqdn for node in quickstart.nodes} | {"update.nai.com"}
    assert [address for address, fqdn, _ in entries if fqdn == "epo.hq.test"] == ["10.1.0.10", "fd00:1::10"]
    assert not [address for address, _, _ in entries if address.startswith(("100.64.", "fd00:64:"))]


def test_memory_is_the_sum_of_the_nodes(quickstart: Topology) -> None:
    assert roles.memory_mib(quickstart) == sum(node.memory_mib for node in quickstart.nodes) > 0


def test_a_name_stands_for_the_addresses_on_the_first_network(topology_of: Callable[[str], Topology]) -> None:
    two = "    networks: {near: {ipv4: 10.8.0.0/24}, far: {ipv4: 10.9.0.0/24}}\n    nodes:\n"
    pc = "      pc: {components: agent, network: [far, near]}\n"
    lab = topology_of(
        DNS.replace("  branch:\n    nodes:\n", f"  branch:\n{two}{pc}", 1).replace(
            "      pc: {components: agent}\n", ""
        )
    )
    found = {fqdn: address for address, fqdn, _ in roles.hosts(lab) if ":" not in address}
    assert (found["pc.branch.test"], found["gate.branch.test"]) == ("10.9.0.10", "10.8.0.1")
    assert len(roles.hosts(lab)) == 2 * len(lab.nodes)
