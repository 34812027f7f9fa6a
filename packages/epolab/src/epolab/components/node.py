"""A node as a resource: container or VM, its interfaces and what is written into it, in one piece.

One resource and not a component with children: the engine rewrites its checkpoint at every step, so resources are
coarse.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pulumi

from epolab.components.fabric import Fabric
from epolab.components.settings import LabSettings
from epolab.model import facts
from epolab.model.node import Interface, Route
from epolab.model.node import Node as NodeModel
from epolab.model.topology import Topology

_ALWAYS = {
    f"net.ipv6.conf.{scope}.{name}": "0" for scope in ("all", "default") for name in ("disable_ipv6", "accept_ra")
}
_ROUTER = {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"}


def interface_props(interface: Interface) -> dict[str, Any]:
    """An interface as the fabric's worker takes it."""
    return {
        "name": interface.name,
        "segment": interface.segment,
        "mac": interface.mac,
        "cidrs": list(interface.cidrs),
    }


def routes_over(routes: tuple[Route, ...], interfaces: tuple[Interface, ...]) -> list[dict[str, str]]:
    """The routes whose next hop lies in a network of one of these interfaces."""
    networks = [network for i in interfaces for network in (i.ipv4.network, i.ipv6.network)]
    return [
        {"destination": route.destination, "via": route.via}
        for route in routes
        if any(ip_address(route.via) in network for network in networks)
    ]


def resolver_addresses(topology: Topology, node: NodeModel) -> list[str]:
    """The addresses that a node asks for names, IPv4 first."""
    resolver = facts.resolver(topology, node)
    return [] if resolver is None else sorted(facts.segment_addresses(resolver)[:2], key=lambda a: ":" in a)


def node_props(topology: Topology, node: NodeModel, settings: LabSettings) -> dict[str, Any]:
    """All that the provider must know of a node; the interfaces of WAN links come with the links."""
    on_segments = tuple(i for i in node.interfaces if i.segment is not None)
    return settings.shared_props() | {
        "path": node.path,
        "fqdn": node.fqdn,
        "kind": node.kind,
        "components": list(node.components),
        "image": settings.image_of(node),
        "memory_mib": node.memory_mib,
        "sysctls": _ALWAYS | (_ROUTER if node.has("router") else {}),
        "interfaces": [interface_props(i) for i in on_segments],
        "routes": routes_over(node.routes, on_segments),
        "resolvers": resolver_addresses(topology, node),
        "own_address": str(node.ipv4),
    }


class Node(pulumi.CustomResource):
    """One container or VM of the lab."""

    container: pulumi.Output[str]
    container_id: pulumi.Output[str]
    pid: pulumi.Output[int]

    def __init__(
        self,
        topology: Topology,
        node: NodeModel,
        settings: LabSettings,
        fabric: Fabric,
        opts: pulumi.ResourceOptions,
    ) -> None:
        props = node_props(topology, node, settings)
        props |= {"fabric_id": fabric.container_id, "ssh_public": fabric.ssh_public}
        outputs = {"container": None, "container_id": None, "pid": None}
        super().__init__("epolab:index:Node", node.path, {**props, **outputs}, opts)
