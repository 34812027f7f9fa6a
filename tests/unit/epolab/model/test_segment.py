from ipaddress import IPv4Network, IPv6Network

from epolab.model.segment import Segment


def test_a_segment_is_named_by_site_and_network() -> None:
    assert Segment("tokyo", "lan", IPv4Network("10.2.0.0/24"), IPv6Network("fd00:2::/64")).path == "tokyo/lan"
