"""Looks at labs: one in full (`inspect`), one against its declaration (`status`), all in a line each (`ls`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epolab.errors import FabricError, LabNotFoundError, UserInputError
from epolab.hands.docker import Docker
from epolab.hands.fabric import open_fabric
from epolab.hands.files import LabFolder
from epolab.model.topology import Topology
from epolab.steps.declaration import read_topology, require_topology
from epolab.steps.document import lab_document, lab_state, node_state
from epolab.steps.drivers import laid_drivers
from epolab.steps.labs import LabRecord, find_lab, own_labs
from epolab.steps.phase import read_phase, read_stood
from epolab.steps.replay import Inspector, left_disturbed
from epolab.steps.sweep import expiry

NO_TIMINGS = {"images_s": None, "engine_s": None, "deploy_s": None, "ready_s": None, "total_s": None}


def require_lab(docker: Docker, name: str) -> LabRecord:
    """The lab, which must have a container or a folder."""
    lab = find_lab(docker, name)
    if lab is not None:
        return lab
    if not LabFolder.of(name).path.exists():
        raise LabNotFoundError(f"there is no lab {name!r}")
    return LabRecord(name, "", None, None, None, ())


def inspect_lab(docker: Docker, name: str) -> dict[str, Any]:
    """The lab's whole document."""
    lab, topology, folder = require_lab(docker, name), require_topology(name, checked=False), LabFolder.of(name)
    phase = read_phase(docker, lab)
    return lab_document(
        lab,
        topology,
        lab_state(lab, topology, phase, held=folder.is_locked("lab")),
        expiry(lab, phase, read_stood(folder)),
        laid_drivers(docker, lab, topology),
        folder.read_json("certificate.json"),
        folder.read_json("timings.json") or NO_TIMINGS,
    )


def list_labs(docker: Docker, owner: str) -> list[dict[str, Any]]:
    """One line per lab of this owner."""
    lines = []
    for name, lab in own_labs(docker, owner).items():
        phase = read_phase(docker, lab)
        lines.append(
            {
                "lab": name,
                "state": listed_state(lab, phase),
                "owner": lab.owner,
                "created": lab.created,
                "expires": expiry(lab, phase, read_stood(LabFolder.of(name))),
                "nodes": len(lab.nodes),
            }
        )
    return lines


def listed_state(lab: LabRecord, phase: Mapping[str, Any] | None) -> str:
    """A lab's state in the list; one whose topology was damaged has failed, and hides no other lab."""
    try:
        topology = read_topology(lab.name)
    except UserInputError:
        return "failed"
    return lab_state(lab, topology, phase, held=LabFolder.of(lab.name).is_locked("lab"))


def status(docker: Docker, name: str) -> dict[str, Any]:
    """The lab's state, and where the world is not as declared."""
    lab, topology = require_lab(docker, name), require_topology(name, checked=False)
    phase = read_phase(docker, lab)
    state = lab_state(lab, topology, phase, held=LabFolder.of(name).is_locked("lab"))
    drift = [
        *node_drift(lab, topology),
        *fabric_drift(docker, lab, topology),
        *disturbance_drift(docker, name, topology),
    ]
    if drift and state == "ready":
        state = "degraded"
    return {"lab": name, "state": state, "drift": drift}


def node_drift(lab: LabRecord, topology: Topology) -> list[dict[str, str]]:
    """Nodes that do not run, and containers that no node declares."""
    drift = []
    for node in topology.nodes:
        seen = node_state(lab.node(node.path))
        if seen != "running":
            drift.append({"what": f"node {node.path}", "expected": "running", "observed": seen})
    declared = {node.path for node in topology.nodes}
    for member in lab.nodes:
        if member.path not in declared:
            drift.append({"what": f"container {member.name}", "expected": "absent", "observed": "present"})
    return drift


def disturbance_drift(docker: Inspector, name: str, topology: Topology) -> list[dict[str, str]]:
    """What a verification that was killed has left disturbed, until another command puts it back."""
    notes = {(undo.node, undo.reason): None for undo in left_disturbed(docker, name, topology)}
    return [
        {
            "what": f"node {node}",
            "expected": "undisturbed",
            "observed": f"{reason}, until the next up, deploy, verify or wan measure",
        }
        for node, reason in notes
    ]


def fabric_drift(docker: Docker, lab: LabRecord, topology: Topology) -> list[dict[str, str]]:
    """Links that the fabric does not hold as declared."""
    if lab.fabric is None or not lab.fabric.running:
        return [{"what": "fabric", "expected": "running", "observed": "missing" if lab.fabric is None else "stopped"}]
    try:
        with open_fabric(docker, lab.fabric.name) as fabric:
            held: Mapping[str, Any] = fabric.call("link_state")
    except FabricError as error:
        return [{"what": "fabric", "expected": "answering", "observed": error.message}]
    return [
        {"what": f"link {link.name}", "expected": "applied", "observed": "missing"}
        for link in topology.links
        if link.name not in held
    ]
