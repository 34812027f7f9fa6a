from collections.abc import Callable

Codes = Callable[[str], list[tuple[int, str]]]

HQ = """epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      vendor: {components: updates}
"""


def networks(*lines: str) -> str:
    body = "".join(f"      {line}\n" for line in lines)
    return HQ.replace("    nodes:", f"    networks:\n{body}    nodes:")


def test_networks_overlap_within_and_across_families_only_where_they_do(codes_of: Codes) -> None:
    assert codes_of(networks("a: {ipv4: 10.1.0.0/24}", "b: {ipv4: 10.1.1.0/24}")) == []
    assert codes_of(networks("a: {ipv4: 10.1.0.0/23}", "b: {ipv4: 10.1.1.0/24}")) == [(6, "network-overlap")]
    assert codes_of(networks('a: {ipv6: "fd00:1::/48"}', 'b: {ipv6: "fd00:1:0:1::/64"}')) == [(6, "network-overlap")]


def test_some_ranges_are_not_to_be_had(codes_of: Codes) -> None:
    assert codes_of(networks("a: {ipv4: 100.96.0.0/24}")) == [(5, "network-transit")]
    assert codes_of(networks('a: {ipv6: "fd00:64::/64"}')) == [(5, "network-transit")]
    assert codes_of(networks("a: {ipv4: 169.254.1.0/24}")) == [(5, "network-reserved")]
    assert codes_of(networks("a: {ipv4: 203.0.113.0/24}")) == []


def test_a_network_must_hold_its_nodes(codes_of: Codes) -> None:
    assert codes_of(networks("a: {ipv4: 10.1.0.0/30}")) == [(5, "network-too-small")]
    assert codes_of(networks("a: {ipv4: 10.1.0.0/29}") + "      pc: {components: agent, count: 3}\n") == []
    assert codes_of(networks("a: {ipv4: 10.1.0.0/29}") + "      pc: {components: agent, count: 4}\n") == [
        (5, "network-full")
    ]


def test_a_node_is_on_networks_of_its_site(codes_of: Codes) -> None:
    assert codes_of(HQ + "      pc: {components: agent, network: lan}\n") == []
    assert codes_of(HQ + "      pc: {components: agent, network: [lan, lam]}\n") == [(7, "unknown-network")]
    assert codes_of(HQ + "      gate: {components: [router, dns], network: lan}\n") == [(7, "router-network")]


def test_a_fixed_address_is_a_free_one_of_its_network(codes_of: Codes) -> None:
    base = networks('a: {ipv4: 10.1.0.0/24, ipv6: "fd00:1::/64"}') + "      pc: {components: agent, "
    assert codes_of(base + 'ipv4: 10.1.0.99, ipv6: "fd00:1::99"}\n') == []
    assert codes_of(base + "ipv4: 10.1.1.99}\n") == [(9, "address-outside")]
    assert codes_of(base + "ipv4: 10.1.0.0}\n") == [(9, "address-taken")]
    assert codes_of(base + 'ipv6: "fd00:1::1"}\n') == [(9, "address-taken")]
    assert codes_of(base + "ipv4: 10.1.0.9, count: 2}\n") == [(9, "address-with-count")]
    twice = base + "ipv4: 10.1.0.9}\n      tv: {components: agent, ipv4: 10.1.0.9}\n"
    assert codes_of(twice) == [(10, "address-taken")]
