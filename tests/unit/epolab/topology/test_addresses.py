from collections.abc import Callable
from ipaddress import IPv4Network

from epolab.topology.addresses import first_host, plan_addresses, transit
from epolab.topology.draft import Draft

LAB = """
epolab: 1
sites:
  one:
    nodes: {a: {components: agent}, b: {components: agent, ipv4: 10.1.0.10, ipv6: "fd00:1::11"}, c: {components: agent}}
  two:
    networks: {office: {ipv4: 10.3.0.0/24}, shop: {}}
    nodes: {d: {components: agent, network: [shop, office]}}
  three:
"""


def test_free_networks_are_chosen_by_the_number_of_the_site(draft_of: Callable[[str], Draft]) -> None:
    plan = plan_addresses(draft_of(LAB))
    found = {s.path: (str(s.ipv4), str(s.ipv6)) for segments in plan.segments.values() for s in segments}
    assert found == {
        "one/lan": ("10.1.0.0/24", "fd00:1::/64"),
        "two/office": ("10.3.0.0/24", "fd00:2::/64"),
        "two/shop": ("10.2.1.0/24", "fd00:2:1::/64"),
        "three/lan": ("10.128.0.0/24", "fd00:3::/64"),
    }


def test_nodes_count_up_from_ten_around_fixed_addresses(draft_of: Callable[[str], Draft]) -> None:
    plan = plan_addresses(draft_of(LAB))
    found = {
        path: (str(v4.ip), str(v6.ip)) for (path, segment), (v4, v6) in plan.addresses.items() if segment == "one/lan"
    }
    assert found == {
        "one/router": ("10.1.0.1", "fd00:1::1"),
        "one/a": ("10.1.0.12", "fd00:1::12"),
        "one/b": ("10.1.0.10", "fd00:1::11"),
        "one/c": ("10.1.0.13", "fd00:1::13"),
    }


def test_a_node_on_two_networks_has_two_addresses(draft_of: Callable[[str], Draft]) -> None:
    plan = plan_addresses(draft_of(LAB))
    assert {segment for path, segment in plan.addresses if path == "two/d"} == {"two/office", "two/shop"}


def test_a_hundredth_site_stays_out_of_the_transit_range(draft_of: Callable[[str], Draft]) -> None:
    sites = "".join(f"  s{number}:\n" for number in range(1, 121))
    plan = plan_addresses(draft_of(f"epolab: 1\nsites:\n{sites}"))
    networks = [segment.ipv6 for segments in plan.segments.values() for segment in segments]
    assert str(plan.segments["s99"][0].ipv6) == "fd00:63::/64"
    assert not str(plan.segments["s100"][0].ipv6).startswith("fd00:64:")
    assert len(set(networks)) == 120


def test_transit_addresses_of_a_link() -> None:
    assert [str(i) for i in transit(3, 1)] == ["100.64.3.1/30", "fd00:64:3::1/126"]
    assert [str(i) for i in transit(300, 2)] == ["100.65.44.2/30", "fd00:64:12c::2/126"]


def test_very_small_networks_start_early() -> None:
    assert first_host(IPv4Network("10.0.0.0/24")) == 10
    assert first_host(IPv4Network("10.0.0.0/29")) == 2
