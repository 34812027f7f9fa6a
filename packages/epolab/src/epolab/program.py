"""The Pulumi program: the same declaration, whether the engine is driven by `epolab` or by hand."""

from __future__ import annotations

import pulumi

from epolab.components.lab import Lab
from epolab.components.settings import LabSettings
from epolab.model.topology import Topology


def declare(topology: Topology, settings: LabSettings) -> Lab:
    """Register all resources of a lab, and export where its nodes are."""
    lab = Lab(topology, settings)
    pulumi.export("lab", settings.lab)
    pulumi.export("containers", {path: node.container for path, node in lab.nodes.items()})
    return lab
