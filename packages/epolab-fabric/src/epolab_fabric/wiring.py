"""Segments are bridges in the fabric, a node's interfaces are veths pushed into its namespace; all idempotent."""

from __future__ import annotations

from typing import Any

from epolab_fabric.interfaces import (
    apply_routes,
    bring_up,
    index_of,
    netlink_in,
    remove_link,
    require_index,
    silence_ipv6,
)
from epolab_fabric.names import bridge_name, port_alias, port_alias_prefix, port_name, segment_alias
from epolab_fabric.namespaces import Namespace, namespace_of
from epolab_fabric.requests import InterfaceRecord, NodeRecord
from epolab_fabric.sysctls import apply_sysctls


class Wiring:
    """The bridges and veths of one fabric, seen through a netlink socket in the fabric's namespace."""

    def __init__(self, netlink: Any) -> None:
        self._fabric = netlink

    def ensure_segment(self, path: str) -> int:
        """The index of the segment's bridge, which is up."""
        name = bridge_name(path)
        index = index_of(self._fabric, name)
        if index is None:
            self._fabric.link("add", ifname=name, kind="bridge", br_mcast_snooping=0)
            index = require_index(self._fabric, name)
            silence_ipv6(self._fabric, index)
            self._fabric.link("set", index=index, state="up", ifalias=segment_alias(path))
        return index

    def remove_segment(self, path: str) -> None:
        """The segment's bridge is gone."""
        index = index_of(self._fabric, bridge_name(path))
        if index is not None:
            remove_link(self._fabric, index)

    def wire_node(self, node: NodeRecord) -> None:
        """The node's segments' interfaces, routes and settings are as declared, and nothing else of the lab's is."""
        with namespace_of(node.pid) as namespace, netlink_in(namespace) as inside:
            apply_sysctls(namespace, node.sysctls)
            inside.link("set", index=1, state="up")
            indexes = [self._wire(node.path, interface, namespace, inside) for interface in node.interfaces]
            apply_routes(inside, indexes, node.routes)
        kept = {port_alias(node.path, interface.name) for interface in node.interfaces}
        self._remove_ports(node.path, kept)

    def unwire_node(self, path: str) -> None:
        """No interface of the node on any segment is left."""
        self._remove_ports(path, set())

    def ports(self) -> dict[str, str]:
        """Alias by name of every device that the fabric made: what is there, for drift."""
        devices = ((link.get_attr("IFLA_IFNAME"), link.get_attr("IFLA_IFALIAS")) for link in self._fabric.get_links())
        return {name: alias for name, alias in devices if alias}

    def _remove_ports(self, path: str, kept: set[str]) -> None:
        for link in self._fabric.get_links():
            alias = link.get_attr("IFLA_IFALIAS") or ""
            if alias.startswith(port_alias_prefix(path)) and alias not in kept:
                remove_link(self._fabric, link["index"])

    def _wire(self, path: str, interface: InterfaceRecord, namespace: Namespace, inside: Any) -> int:
        bridge = self.ensure_segment(interface.segment)
        port = self._ensure_pair(path, interface, namespace, inside)
        silence_ipv6(self._fabric, port)
        alias = port_alias(path, interface.name)
        self._fabric.link("set", index=port, master=bridge, state="up", ifalias=alias)
        index = require_index(inside, interface.name)
        bring_up(inside, index, interface.mac, interface.cidrs)
        return index

    def _ensure_pair(self, path: str, interface: InterfaceRecord, namespace: Namespace, inside: Any) -> int:
        name = port_name(path, interface.name)
        port, index = index_of(self._fabric, name), index_of(inside, interface.name)
        if port is not None and index is not None and joined(self._fabric, port, inside, index):
            return port
        # A port whose node died or was replaced, and an interface that is not ours, make way.
        for netlink, leftover in ((self._fabric, port), (inside, index)):
            if leftover is not None:
                remove_link(netlink, leftover)
        peer = {"ifname": interface.name, "address": interface.mac, "net_ns_fd": namespace.fd}
        self._fabric.link("add", ifname=name, kind="veth", peer=peer)
        return require_index(self._fabric, name)


def joined(here: Any, index: int, there: Any, peer: int) -> bool:
    """Whether two veth ends, each in its namespace, name each other as peer."""
    mine, other = here.get_links(index)[0], there.get_links(peer)[0]
    return bool(mine.get_attr("IFLA_LINK") == peer and other.get_attr("IFLA_LINK") == index)
