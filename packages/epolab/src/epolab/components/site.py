"""A site as a component: its nodes are its children."""

from __future__ import annotations

import pulumi

from epolab.components.fabric import Fabric
from epolab.components.node import Node
from epolab.components.settings import LabSettings
from epolab.model.site import Site as SiteModel
from epolab.model.topology import Topology


class Site(pulumi.ComponentResource):
    """One place of the estate, with its nodes."""

    nodes: dict[str, Node]

    def __init__(
        self,
        topology: Topology,
        site: SiteModel,
        settings: LabSettings,
        fabric: Fabric,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("epolab:index:Site", site.name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.nodes = {node.path: Node(topology, node, settings, fabric, child) for node in site.nodes}
        self.register_outputs({"nodes": [node.container for node in self.nodes.values()]})
