"""The WAN of a lab that is up: its links with their counters, and a fresh certificate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from epolab.errors import ArgumentError
from epolab.hands.docker import Docker
from epolab.hands.fabric import open_fabric
from epolab.hands.files import LabFolder
from epolab.hands.process import mark_session
from epolab.provider.labels import fabric_container
from epolab.steps.declaration import require_topology
from epolab.steps.document import link_document, shape_document
from epolab.steps.drivers import laid_drivers
from epolab.steps.inspect import require_lab
from epolab.steps.measuring import measure_alone
from epolab.steps.replay import replay_notes

LOCK_SECONDS = 600.0
_NOTHING = {"bytes": None, "packets": None, "dropped": None}


def list_links(docker: Docker, lab: str) -> list[dict[str, Any]]:
    """The document of `wan ls`; what a link's driver cannot count is null."""
    topology = require_topology(lab, checked=False)
    drivers = laid_drivers(docker, require_lab(docker, lab), topology)
    with open_fabric(docker, fabric_container(lab)) as fabric:
        counters: dict[str, Any] = fabric.call("link_counters")
    return [
        {
            "name": link.name,
            "driver": drivers[link.name],
            "declared": {"a_to_b": shape_document(link.a_to_b), "b_to_a": shape_document(link.b_to_a)},
            "counters": counters.get(link.name) or {"a_to_b": _NOTHING, "b_to_a": _NOTHING},
        }
        for link in topology.links
    ]


def measure_links(
    docker: Docker, lab: str, name: str | None, say: Callable[[str], None], warn: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Measure the certificate anew, all of it or one link; the LINK documents of what was measured."""
    topology, folder = require_topology(lab), LabFolder.of(lab)
    names = [link.name for link in topology.links]
    if name is not None and name not in names:
        raise ArgumentError(f"lab {lab} has no link {name!r}", hint=f"one of: {', '.join(names)}")
    with folder.lock("lab", wait_seconds=LOCK_SECONDS, on_wait=warn, purpose=f"wan measure {lab}"):
        mark_session(folder.path)
        replay_notes(docker, lab, topology, warn)
        certificate = measure_alone(topology, folder, docker, say, warn, only=None if name is None else {name})
    drivers = laid_drivers(docker, require_lab(docker, lab), topology)
    return [
        link_document(link, drivers[link.name], certificate) for link in topology.links if name in (None, link.name)
    ]
