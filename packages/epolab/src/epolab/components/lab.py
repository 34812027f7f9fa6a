"""A whole lab as a component: the fabric, the sites and the WAN are its children."""

from __future__ import annotations

import pulumi

from epolab.components.fabric import Fabric
from epolab.components.node import Node
from epolab.components.settings import LabSettings
from epolab.components.site import Site
from epolab.components.wan import Wan
from epolab.model.topology import Topology


class Lab(pulumi.ComponentResource):
    """One lab."""

    nodes: dict[str, Node]

    def __init__(self, topology: Topology, settings: LabSettings) -> None:
        super().__init__("epolab:index:Lab", settings.lab)
        child = pulumi.ResourceOptions(parent=self)
        fabric = Fabric(topology, settings, child)
        sites = [Site(topology, site, settings, fabric, child) for site in topology.sites]
        self.nodes = {path: node for site in sites for path, node in site.nodes.items()}
        Wan(topology, settings, fabric, self.nodes, child)
        self.register_outputs({"fabric": fabric.container})
