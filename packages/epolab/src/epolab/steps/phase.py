"""What phase a lab is in, as its fabric remembers it."""

from __future__ import annotations

from typing import Any

from epolab.errors import FabricError
from epolab.hands.docker import Docker
from epolab.hands.fabric import open_fabric
from epolab.hands.process import Creator, this_process
from epolab.steps.labs import LabRecord

INTERRUPTIBLE = ("creating", "deploying", "removing")


def read_phase(docker: Docker, lab: LabRecord) -> dict[str, Any] | None:
    """The phase document ({phase, creator}) and the lease; None when there is no living fabric to ask."""
    if lab.fabric is None or not lab.fabric.running:
        return None
    try:
        with open_fabric(docker, lab.fabric.name) as fabric:
            phase: dict[str, Any] = fabric.call("phase_read") or {}
            return phase | {"lease": fabric.call("document_read", name="lease") or {}}
    except FabricError:
        return None


def write_phase(docker: Docker, lab: LabRecord | None, phase: str) -> None:
    """Record the phase, and us as whoever brings it about; nothing to record it in before there is a fabric."""
    if lab is None or lab.fabric is None or not lab.fabric.running:
        return
    with open_fabric(docker, lab.fabric.name) as fabric:
        fabric.call("phase_write", phase=phase, creator=this_process().document())


def creator_of(phase: dict[str, Any]) -> Creator | None:
    """Who brought the phase about."""
    record = phase.get("creator")
    return None if record is None else Creator(record["host"], int(record["pid"]), str(record["started"]))
