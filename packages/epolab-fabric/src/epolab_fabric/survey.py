"""What every namespace of a lab holds, and in which of them the other end of each interface lies."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from epolab_fabric.interfaces import netlink_in
from epolab_fabric.namespaces import Namespace, inode_of, namespace_of
from epolab_fabric.tap_holder import tap_holder

FABRIC = "fabric"
CABLE = "cable"

Peer = dict[str, str]


class Surveyed:
    """One open namespace: its links by index, and how it numbers the namespaces of its peers."""

    def __init__(self, path: str, namespace: Namespace, netlink: Any) -> None:
        self.path, self.namespace, self._netlink = path, namespace, netlink
        self.links: dict[int, Any] = {link["index"]: link for link in netlink.get_links()}

    def number_of(self, other: Surveyed) -> int:
        """The number that this namespace knows another one by; negative if it knows none."""
        return int(self._netlink.get_netnsid(fd=other.namespace.fd)["nsid"])


def survey(pids: Mapping[str, int], carried: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    """Namespace and interfaces by node path, `fabric` and `host` beside them.

    `carried` are the TAPs that the cable holds: (node path, interface) to the namespace's inode.
    """
    with ExitStack() as stack:
        places = [stack.enter_context(_fabric())]
        places += [stack.enter_context(_surveyed(path, pid)) for path, pid in pids.items()]
        seen: dict[str, Any] = {place.path: _document(place, places, carried) for place in places}
    return seen | {"host": {"namespace": inode_of(1), "interfaces": []}}


@contextmanager
def _surveyed(path: str, pid: int) -> Iterator[Surveyed]:
    with namespace_of(pid) as namespace, netlink_in(namespace) as netlink:
        yield Surveyed(path, namespace, netlink)


@contextmanager
def _fabric() -> Iterator[Surveyed]:
    fd = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        namespace = Namespace(fd, os.fstat(fd).st_ino)
        with netlink_in(namespace) as netlink:
            yield Surveyed(FABRIC, namespace, netlink)
    finally:
        os.close(fd)


def _document(place: Surveyed, places: list[Surveyed], carried: Mapping[tuple[str, str], int]) -> dict[str, Any]:
    interfaces = []
    for index, link in sorted(place.links.items()):
        name, kind = link.get_attr("IFLA_IFNAME"), _kind(link)
        peer: Peer | None = None
        if kind == "veth":
            peer = _veth_peer(place, places, link)
        elif carried.get((place.path, name)) == place.namespace.inode:
            peer = {"path": FABRIC, "name": CABLE}
        elif kind == "tun" and (holder := tap_holder(name, place.namespace.inode)):
            peer = {"path": place.path, "name": holder}
        interfaces.append({"name": name, "index": index, "kind": kind, "peer": peer})
    return {"namespace": place.namespace.inode, "interfaces": interfaces}


def _kind(link: Any) -> str:
    name = link.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND")
    return str(name or ("loopback" if link.get_attr("IFLA_IFNAME") == "lo" else "other"))


def _veth_peer(place: Surveyed, places: list[Surveyed], link: Any) -> Peer | None:
    """The other end of a veth, if it lies in a surveyed namespace."""
    number, index = link.get_attr("IFLA_LINK_NETNSID"), link.get_attr("IFLA_LINK")
    for other in places:
        here = other is place if number is None else place.number_of(other) == number
        if here and index in other.links:
            return {"path": other.path, "name": other.links[index].get_attr("IFLA_IFNAME")}
    return None
