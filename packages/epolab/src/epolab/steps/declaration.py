"""The topology that a lab was last brought up from: its file's text, and where that lay, which may give its name."""

from __future__ import annotations

import shlex
from pathlib import Path

from epolab.errors import LabNotFoundError, TopologyInvalidError
from epolab.hands.files import LabFolder, write_private
from epolab.model.topology import Topology
from epolab.topology.load import load, load_text

COPY = "topology.yaml"
ORIGIN = "origin.json"


def keep_topology(folder: LabFolder, file: Path) -> None:
    """Keep a topology's file with the lab."""
    text = file.read_bytes()
    folder.write_json(ORIGIN, {"file": str(file.absolute())})
    write_private(folder.path / COPY, text)


def read_topology(lab: str) -> Topology | None:
    """The topology a lab was last brought up from; None if it never came so far."""
    folder = LabFolder.of(lab)
    copy = folder.path / COPY
    if not copy.exists():
        return None
    file = str((folder.read_json(ORIGIN) or {}).get("file", copy))
    loaded = load_text(copy.read_bytes(), file)
    if loaded.topology is None or not loaded.valid:
        hint = f"epolab up {shlex.quote(file)} --name {lab}"
        raise TopologyInvalidError(load(copy).problems, f"{copy}: the lab's topology is damaged", hint=hint)
    return loaded.topology


def require_topology(lab: str) -> Topology:
    """The topology a lab was last brought up from."""
    topology = read_topology(lab)
    if topology is None:
        raise LabNotFoundError(f"lab {lab} has no topology on this host", hint=f"epolab up FILE --name {lab}")
    return topology
