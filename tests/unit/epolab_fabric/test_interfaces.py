"""What an interface shall have; the netlink part is held by the integration test."""

from typing import Any

import pytest

from epolab_fabric.interfaces import ROUTE_PROTOCOL, apply_routes, index_of, link_local, tolerate, wanted_addresses
from epolab_fabric.netlink import NetlinkError
from epolab_fabric.requests import RouteRecord


class FakeMessage(dict[str, Any]):
    def get_attr(self, name: str) -> Any:
        return self["attributes"].get(name)


class FakeNetlink:
    """A routing table that notes what is changed."""

    def __init__(self, *routes: tuple[str, int, str, int]) -> None:
        self._routes = routes
        self.changes: list[tuple[str, str, str]] = []

    def get_routes(self, family: int, proto: int) -> list[FakeMessage]:
        version = 4 if family == 2 else 6
        return [
            FakeMessage(proto=proto, dst_len=length, attributes={"RTA_DST": to, "RTA_OIF": over, "RTA_GATEWAY": via})
            for to, length, via, over in self._routes
            if (":" in via) == (version == 6)
        ]

    def route(self, verb: str, dst: str, gateway: str, proto: int) -> None:
        assert proto == ROUTE_PROTOCOL
        self.changes.append((verb, dst, gateway))

    def link_lookup(self, ifname: str) -> list[int]:
        return [4] if ifname == "eth0" else []


def test_the_link_local_address_is_the_eui_64_of_the_mac() -> None:
    assert link_local("02:00:00:00:01:02") == "fe80::ff:fe00:102"
    assert link_local("52:54:00:12:34:56") == "fe80::5054:ff:fe12:3456"


def test_ipv6_brings_a_link_local_address_with_it_and_ipv4_does_not() -> None:
    mac = "02:00:00:00:00:01"
    assert wanted_addresses(mac, ["10.0.0.1/24"]) == {("10.0.0.1", 24)}
    assert wanted_addresses(mac, ["fd00:0::1/64"]) == {("fd00::1", 64), ("fe80::ff:fe00:1", 64)}
    assert wanted_addresses(mac, []) == set()


def test_routes_are_replaced_added_and_removed_but_never_someone_elses() -> None:
    table = FakeNetlink(
        ("10.2.0.0", 24, "10.0.0.1", 4),
        ("10.3.0.0", 24, "10.0.0.1", 4),
        ("10.4.0.0", 24, "10.0.0.1", 4),
        ("10.9.0.0", 24, "10.8.0.1", 5),
    )
    routes = [
        RouteRecord("10.2.0.0/24", "10.0.0.1"),
        RouteRecord("10.3.0.0/24", "10.0.0.2"),
        RouteRecord("default", "fd00::1"),
    ]
    apply_routes(table, [4], routes)
    assert table.changes == [
        ("del", "10.4.0.0/24", "10.0.0.1"),
        ("replace", "10.3.0.0/24", "10.0.0.2"),
        ("replace", "::/0", "fd00::1"),
    ]


def test_a_default_route_that_is_there_is_left_alone() -> None:
    table = FakeNetlink(("", 0, "10.0.0.1", 4))
    apply_routes(table, [4], [RouteRecord("0.0.0.0/0", "10.0.0.1")])
    assert table.changes == []


def test_an_interface_that_is_not_there_has_no_index() -> None:
    assert (index_of(FakeNetlink(), "eth0"), index_of(FakeNetlink(), "eth1")) == (4, None)


def test_only_the_named_error_is_tolerated() -> None:
    def fail() -> None:
        raise NetlinkError(19, "No such device")

    tolerate(fail, "No such device")
    with pytest.raises(NetlinkError):
        tolerate(fail, "Operation not supported")
