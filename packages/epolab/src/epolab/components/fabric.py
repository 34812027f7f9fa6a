"""The lab's fabric as a resource."""

from __future__ import annotations

import pulumi

from epolab.components.settings import LabSettings
from epolab.model.topology import Topology


class Fabric(pulumi.CustomResource):
    """The container that holds all bridges, veth ends and shapers of a lab."""

    container: pulumi.Output[str]
    container_id: pulumi.Output[str]
    ssh_public: pulumi.Output[str]

    def __init__(self, topology: Topology, settings: LabSettings, opts: pulumi.ResourceOptions) -> None:
        props = settings.shared_props() | {
            "created": settings.created,
            "topology": topology.name,
            "image": settings.images["fabric"],
            "tun": settings.tun,
            "segments": [segment.path for segment in topology.segments],
        }
        outputs = {"container": None, "container_id": None, "ssh_public": None}
        super().__init__("epolab:index:Fabric", "fabric", {**props, **outputs}, opts)
