"""The node's interfaces."""

from ipaddress import IPv4Interface, IPv6Interface

from miniepo.wire.interfaces import Interface, addresses, networks, read_interfaces

ETH0 = Interface(
    "eth0", 2, "", IPv4Interface("10.3.0.21/24"), (IPv6Interface("fe80::1/64"), IPv6Interface("fd00:3::21/64"))
)
WAN = Interface("wan-hq", 3, "", IPv4Interface("100.64.1.2/31"), (IPv6Interface("fe80::2/64"),))
LO = Interface("lo", 1, "", IPv4Interface("127.0.0.1/8"), (IPv6Interface("::1/128"),))


def test_broadcast_goes_where_there_is_a_segment() -> None:
    assert ETH0.broadcasts_v4 == ("10.3.0.255",)
    assert WAN.broadcasts_v4 == () and LO.broadcasts_v4 == ()
    assert (ETH0.has_v6, WAN.has_v6, LO.has_v6) == (True, True, False)


def test_link_local_addresses_mean_nothing_to_others() -> None:
    assert addresses((LO, ETH0, WAN)) == ("10.3.0.21", "100.64.1.2", "fd00:3::21")
    assert networks((LO, ETH0)) == (IPv4Interface("10.3.0.21/24"), IPv6Interface("fd00:3::21/64"))


def test_this_machine_has_a_loopback() -> None:
    (loopback,) = (each for each in read_interfaces() if each.is_loopback)
    assert loopback.v4 == IPv4Interface("127.0.0.1/8")
