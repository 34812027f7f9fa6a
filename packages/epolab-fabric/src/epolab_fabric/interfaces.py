"""Bring one interface to its declaration by netlink: address, carrier, IP addresses without DAD, routes."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from epolab_fabric.errors import FabricFault
from epolab_fabric.namespaces import Namespace
from epolab_fabric.netlink import IPRoute, NetlinkError
from epolab_fabric.requests import RouteRecord

IFA_F_NODAD = 0x02
IFA_F_PERMANENT = 0x80
ADDR_GEN_MODE_NONE = 1
# Routes that the lab made, so that it never removes one that somebody else made (rtnetlink leaves 200-250 free).
ROUTE_PROTOCOL = 217

Address = tuple[str, int]


@contextmanager
def netlink_in(namespace: Namespace) -> Iterator[Any]:
    """A netlink socket that speaks to another namespace; this thread does not stay there."""
    with namespace.run(IPRoute) as netlink:
        yield netlink


def index_of(netlink: Any, name: str) -> int | None:
    """The index of the interface `name`; None where there is none."""
    found = netlink.link_lookup(ifname=name)
    return int(found[0]) if found else None


def require_index(netlink: Any, name: str) -> int:
    """The index of an interface that must be there."""
    index = index_of(netlink, name)
    if index is None:
        raise FabricFault(f"interface {name} vanished while it was wired")
    return index


def remove_link(netlink: Any, index: int) -> None:
    """Remove a device; one that has gone meanwhile (its peer's namespace died) is removed already."""
    tolerate(lambda: netlink.link("del", index=index), "No such device")


def tolerate(act: Callable[[], Any], *words: str) -> None:
    """Do `act`; an error of one of these texts means that the world is already as wanted."""
    try:
        act()
    except NetlinkError as error:
        if not any(word in str(error) for word in words):
            raise


def link_local(mac: str) -> str:
    """The EUI-64 link-local address of a MAC (RFC 4291, appendix A)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    host = bytes([octets[0] ^ 2]) + octets[1:3] + b"\xff\xfe" + octets[3:]
    return str(ipaddress.IPv6Address(b"\xfe\x80" + bytes(6) + host))


def wanted_addresses(mac: str, cidrs: Iterable[str]) -> set[Address]:
    """The addresses an interface shall have: the declared ones, and a link-local one beside IPv6."""
    wanted: set[Address] = set()
    for cidr in cidrs:
        interface = ipaddress.ip_interface(cidr)
        wanted.add((str(interface.ip), interface.network.prefixlen))
        if interface.version == 6:
            wanted.add((link_local(mac), 64))
    return wanted


def silence_ipv6(netlink: Any, index: int) -> None:
    """No address of the kernel's own making: it would be tentative for a second, and DAD would run over it."""
    mode = {"attrs": [("IFLA_INET6_ADDR_GEN_MODE", ADDR_GEN_MODE_NONE)]}
    message = {"IFLA_AF_SPEC": {"attrs": [("AF_INET6", mode)]}}
    # Where IPv6 is switched off there is nothing to silence.
    tolerate(lambda: netlink.link("set", index=index, **message), "Address family not supported", "Invalid argument")


def bring_up(netlink: Any, index: int, mac: str, cidrs: Iterable[str]) -> None:
    """Interface `index` has this MAC and exactly these addresses, is up, and can be used at once."""
    silence_ipv6(netlink, index)
    netlink.link("set", index=index, address=mac, state="up")
    wanted = wanted_addresses(mac, cidrs)
    if not wanted:
        return  # The owner of the node addresses it.
    # An address takes its secondaries with it when it goes: what is missing is seen only afterwards.
    for address, length in sorted(set(_addresses(netlink, index)) - wanted):
        _remove_address(netlink, index, address, length)
    for address, length in sorted(wanted - set(_addresses(netlink, index))):
        flags = IFA_F_NODAD if ":" in address else 0
        netlink.addr("add", index=index, address=address, prefixlen=length, flags=flags)


def _remove_address(netlink: Any, index: int, address: str, length: int) -> None:
    gone = "Cannot assign requested address"
    tolerate(lambda: netlink.addr("del", index=index, address=address, prefixlen=length), gone)


def _addresses(netlink: Any, index: int) -> Iterator[Address]:
    for message in netlink.get_addr(index=index):
        if message["index"] == index:
            yield message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS"), message["prefixlen"]


def _destination(route: RouteRecord) -> str:
    if route.destination != "default":
        return str(ipaddress.ip_network(route.destination))
    return "::/0" if ":" in route.via else "0.0.0.0/0"


def apply_routes(netlink: Any, indexes: Iterable[int], routes: Iterable[RouteRecord]) -> None:
    """The lab's static routes over these interfaces are exactly `routes`."""
    wanted = {(_destination(route), route.via) for route in routes}
    present = set(_lab_routes(netlink, set(indexes)))
    for destination, via in sorted(present - wanted):
        if destination not in {kept for kept, _ in wanted}:
            netlink.route("del", dst=destination, gateway=via, proto=ROUTE_PROTOCOL)
    for destination, via in sorted(wanted - present):
        netlink.route("replace", dst=destination, gateway=via, proto=ROUTE_PROTOCOL)


def _lab_routes(netlink: Any, indexes: set[int]) -> Iterator[tuple[str, str]]:
    for family, everywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        for message in netlink.get_routes(family=family, proto=ROUTE_PROTOCOL):
            if message["proto"] == ROUTE_PROTOCOL and message.get_attr("RTA_OIF") in indexes:
                target = message.get_attr("RTA_DST") or everywhere
                yield f"{target}/{message['dst_len']}", message.get_attr("RTA_GATEWAY")
