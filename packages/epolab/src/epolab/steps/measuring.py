"""Measures the WAN of a lab alone on it, and in silence: what its services send would be taken for the lines' doing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from epolab.hands.docker import Docker
from epolab.hands.fabric import open_fabric
from epolab.hands.files import LabFolder
from epolab.model.topology import Topology
from epolab.provider.labels import fabric_container
from epolab.steps.alone import alone
from epolab.steps.labs import find_lab

DEPLOYED = "digests.json"


def measure_alone(
    topology: Topology,
    folder: LabFolder,
    docker: Docker,
    say: Callable[[str], None],
    warn: Callable[[str], None],
    only: Collection[str] | None = None,
) -> dict[str, Any]:
    """The certificate, of all links or with those named measured anew; waits while a verification goes on."""
    with alone(folder.path, warn):
        return measure_in_silence(topology, folder, docker, say, only)


def measure_in_silence(
    topology: Topology,
    folder: LabFolder,
    docker: Docker,
    say: Callable[[str], None],
    only: Collection[str] | None = None,
) -> dict[str, Any]:
    """The same for whoever is alone on the lab already."""
    from epolab.verify.measure import measure

    with silence(topology, folder, docker):
        return measure(topology, folder, docker, say, only)


@contextmanager
def silence(topology: Topology, folder: LabFolder, docker: Docker) -> Iterator[None]:
    """Pause the services for the block, and let the lines come to rest first.

    There are no services before roles were applied, nor on a node that does not run.
    """
    if not (folder.path / DEPLOYED).exists():
        yield
        return
    from epolab.verify.quiet import quiet, until_still  # here, because it imports testinfra
    from epolab.verify.witness import Witness

    with quiet(Witness(folder.name, running_part(topology, docker, folder.name), folder.path)):
        with open_fabric(docker, fabric_container(folder.name)) as fabric:
            until_still(lambda: fabric.call("link_counters"))
        yield


def running_part(topology: Topology, docker: Docker, lab: str) -> Topology:
    """The topology without the nodes that do not run."""
    record = find_lab(docker, lab)
    running = {member.path for member in record.nodes if member.running} if record else set()
    sites = (replace(site, nodes=tuple(n for n in site.nodes if n.path in running)) for site in topology.sites)
    return replace(topology, sites=tuple(sites))
