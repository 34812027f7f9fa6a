from collections.abc import Callable
from ipaddress import IPv4Interface, IPv6Interface, ip_address

from epolab.model.topology import Topology
from epolab.topology.wiring import interface_name, mac

CHAIN = """
epolab: 1
sites:
  a: {nodes: {epo: {components: [server, sql]}}}
  b:
  c: {nodes: {pc: {components: agent}}}
wan: [{between: [a, b]}, {between: [b, c]}]
"""


def test_interface_names_fit_the_kernel_and_stay_apart() -> None:
    assert interface_name("tokyo") == "wan-tokyo"
    long = [interface_name(f"a-very-long-site-{number}") for number in range(20)]
    assert all(len(name) <= 15 for name in long) and len(set(long)) == 20


def test_a_mac_is_locally_administered_and_its_own() -> None:
    pair = (IPv4Interface("10.1.0.10/24"), IPv6Interface("fd00:1::10/64"))
    assert mac(*pair).startswith("02:") and len(mac(*pair)) == 17
    assert mac(*pair) == mac(*pair) != mac(IPv4Interface("10.1.0.11/24"), pair[1])


def test_who_takes_the_addresses_of_a_node_takes_its_mac(topology_of: Callable[[str], Topology]) -> None:
    before, after = (topology_of(CHAIN.replace("pc:", f"{name}:")) for name in ("alpha", "gamma"))
    assert before.node("c/alpha").interfaces == after.node("c/gamma").interfaces


def test_no_two_interfaces_share_a_mac(topology_of: Callable[[str], Topology]) -> None:
    macs = [interface.mac for node in topology_of(CHAIN).nodes for interface in node.interfaces]
    assert len(macs) == len(set(macs)) == 9


def test_a_router_has_an_interface_per_network_and_link(topology_of: Callable[[str], Topology]) -> None:
    router = topology_of(CHAIN).node("b/router")
    assert [(i.name, i.segment, i.link) for i in router.interfaces] == [
        ("eth0", "b/lan", None),
        ("wan-a", None, "a-b"),
        ("wan-c", None, "b-c"),
    ]


def test_a_router_knows_every_network_that_is_not_its_own(topology_of: Callable[[str], Topology]) -> None:
    routes = {r.destination: r.via for r in topology_of(CHAIN).node("a/router").routes}
    assert routes == {
        "10.2.0.0/24": "100.64.1.2",
        "fd00:2::/64": "fd00:64:1::2",
        "10.3.0.0/24": "100.64.1.2",
        "fd00:3::/64": "fd00:64:1::2",
        "100.64.2.0/30": "100.64.1.2",
        "fd00:64:2::/126": "fd00:64:1::2",
    }


def test_a_host_goes_by_its_router(topology_of: Callable[[str], Topology]) -> None:
    routes = topology_of(CHAIN).node("c/pc").routes
    assert [(r.destination, r.via) for r in routes] == [("0.0.0.0/0", "10.3.0.1"), ("::/0", "fd00:3::1")]


def test_both_ends_of_every_link_and_all_addresses_differ(quickstart: Topology) -> None:
    interfaces = [i for node in quickstart.nodes for i in node.interfaces]
    assert len({i.mac for i in interfaces}) == len({i.ipv4.ip for i in interfaces}) == len(interfaces)
    for link in quickstart.links:
        ends = [i for i in interfaces if i.link == link.name]
        assert len(ends) == 2 and ends[0].ipv4.network == ends[1].ipv4.network


def test_every_next_hop_lies_on_a_network_of_the_node(quickstart: Topology) -> None:
    for node in quickstart.nodes:
        near = [network for i in node.interfaces for network in (i.ipv4.network, i.ipv6.network)]
        for route in node.routes:
            assert any(ip_address(route.via) in network for network in near), (node.path, route)
