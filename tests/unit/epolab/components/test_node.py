"""What the provider is told of a node."""

from epolab.components.node import node_props, routes_over
from epolab.model import facts


def test_a_router_forwards_and_its_link_interface_comes_with_the_link(topology, settings):
    router = facts.router(topology, "tokyo")
    props = node_props(topology, router, settings)
    assert props["sysctls"]["net.ipv4.ip_forward"] == "1"
    assert [interface["name"] for interface in props["interfaces"]] == ["eth0"]
    assert props["routes"] == []


def test_a_host_does_not_forward_and_has_its_default_routes(topology, settings):
    props = node_props(topology, topology.node("tokyo/far"), settings)
    assert "net.ipv4.ip_forward" not in props["sysctls"]
    gateway = facts.router(topology, "tokyo").interfaces[0]
    assert {route["via"] for route in props["routes"]} == {str(gateway.ipv4.ip), str(gateway.ipv6.ip)}


def test_names_are_asked_of_the_sites_router_in_both_families(topology, settings):
    props = node_props(topology, topology.node("tokyo/far"), settings)
    router = facts.router(topology, "tokyo").interfaces[0]
    assert props["resolvers"] == [str(router.ipv4.ip), str(router.ipv6.ip)]


def test_routes_are_told_apart_by_their_next_hop(topology):
    router = facts.router(topology, "tokyo")
    on_link = tuple(interface for interface in router.interfaces if interface.link)
    assert len(routes_over(router.routes, on_link)) == len(router.routes) > 0


def test_nothing_secret_or_unserialisable_is_told(topology, settings):
    allowed = (str, int, float, bool, list, dict)
    assert all(isinstance(value, allowed) for value in node_props(topology, topology.nodes[0], settings).values())
