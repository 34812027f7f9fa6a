"""The WAN as a component: its links are its children."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pulumi

from epolab.components.fabric import Fabric
from epolab.components.node import Node, routes_over
from epolab.components.settings import LabSettings
from epolab.model import facts
from epolab.model.link import Link as LinkModel
from epolab.model.topology import Topology


def end_props(topology: Topology, link: LinkModel, site: str) -> dict[str, Any]:
    """One end of a link: the router's interface on it, and the routes that go over it."""
    router = facts.router(topology, site)
    interface = next(i for i in router.interfaces if i.link == link.name)
    return {
        "path": router.path,
        "interface": interface.name,
        "mac": interface.mac,
        "cidrs": list(interface.cidrs),
        "routes": routes_over(router.routes, (interface,)),
    }


def link_props(topology: Topology, link: LinkModel, settings: LabSettings) -> dict[str, Any]:
    """All that the provider must know of a link, but for the process ids of its ends."""
    return {
        "lab": settings.lab,
        "name": link.name,
        "driver": settings.drivers[link.name],
        "a_to_b": asdict(link.a_to_b),
        "b_to_a": asdict(link.b_to_a),
        "a": end_props(topology, link, link.a),
        "b": end_props(topology, link, link.b),
    }


class Link(pulumi.CustomResource):
    """One cable between the routers of two sites."""

    def __init__(self, name: str, props: dict[str, Any], opts: pulumi.ResourceOptions) -> None:
        super().__init__("epolab:index:Link", name, props, opts)


class Wan(pulumi.ComponentResource):
    """All links between sites."""

    def __init__(
        self,
        topology: Topology,
        settings: LabSettings,
        fabric: Fabric,
        nodes: Mapping[str, Node],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("epolab:index:Wan", "wan", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        for link in topology.links:
            props = link_props(topology, link, settings)
            props |= {f"{end}_pid": nodes[props[end]["path"]].pid for end in ("a", "b")}
            Link(link.name, props | {"fabric_id": fabric.container_id}, child)
        self.register_outputs({"links": [link.name for link in topology.links]})
