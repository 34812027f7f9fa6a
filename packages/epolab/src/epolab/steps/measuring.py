"""Measures the WAN of a lab alone on it, and in silence: what its services send would be taken for the lines' doing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.model.topology import Topology
from epolab.steps.labs import find_lab
from epolab.verify.turns import turn

DEPLOYED = "digests.json"


def measure_alone(
    topology: Topology,
    folder: LabFolder,
    docker: Docker,
    say: Callable[[str], None],
    only: Collection[str] | None = None,
) -> dict[str, Any]:
    """The certificate, of all links or with those named measured anew; LabBusyError while a verification goes on."""
    from epolab.verify.measure import measure

    with turn(folder.path, alone=True), silence(topology, folder, docker):
        return measure(topology, folder, docker, say, only)


def silence(topology: Topology, folder: LabFolder, docker: Docker) -> AbstractContextManager[None]:
    """Pause the services for the block; there are none before roles were applied, nor on a node that does not run."""
    if not (folder.path / DEPLOYED).exists():
        return nullcontext()
    from epolab.verify.quiet import quiet  # here, because it imports testinfra
    from epolab.verify.witness import Witness

    return quiet(Witness(folder.name, running_part(topology, docker, folder.name), folder.path))


def running_part(topology: Topology, docker: Docker, lab: str) -> Topology:
    """The topology without the nodes that do not run."""
    record = find_lab(docker, lab)
    running = {member.path for member in record.nodes if member.running} if record else set()
    sites = (replace(site, nodes=tuple(n for n in site.nodes if n.path in running)) for site in topology.sites)
    return replace(topology, sites=tuple(sites))
