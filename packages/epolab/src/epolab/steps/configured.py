"""What plain `pulumi up` declares: the topology and lab that the stack's configuration names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from epolab.components.settings import LabSettings
from epolab.errors import ArgumentError
from epolab.hands.docker import Docker
from epolab.hands.until import now, stamp
from epolab.images import image_reference
from epolab.model.topology import Topology
from epolab.steps.build import image_names
from epolab.steps.drivers import chosen_drivers, host_facts, refuse_impossible
from epolab.steps.names import checked_lab_name, owner_name
from epolab.topology import load_topology


def configured(read_setting: Callable[[str], str | None]) -> tuple[Topology, LabSettings]:
    """The arguments of `declare`, from the settings `topology` (a file) and `lab` (its name, if not the topology's)."""
    file = read_setting("topology")
    if file is None:
        raise ArgumentError("the stack names no topology", hint="pulumi config set epolab:topology FILE")
    topology = load_topology(Path(file))
    offered = host_facts(Docker.connect())
    refuse_impossible(topology, offered)
    settings = LabSettings(
        lab=checked_lab_name(read_setting("lab") or topology.name),
        owner=owner_name(),
        created=stamp(now()),
        expires=None,
        images={name: image_reference(name) for name in image_names(topology)},
        tun=offered.tun,
        drivers=chosen_drivers(topology, offered),
    )
    return topology, settings
