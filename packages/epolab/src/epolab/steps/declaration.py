"""The topology that a lab was last brought up from: its file's text, and where that lay, which may give its name."""

from __future__ import annotations

import shlex
from pathlib import Path

from epolab.errors import LabNotFoundError, TopologyInvalidError
from epolab.hands.files import LabFolder, write_private
from epolab.model.topology import Topology
from epolab.topology.load import Loaded, load, load_text
from epolab.yaml_file import parse_bytes

COPY = "topology.yaml"
ORIGIN = "origin.json"


def keep_topology(folder: LabFolder, file: Path) -> None:
    """Keep a topology's file with the lab."""
    text = file.read_bytes()
    folder.write_json(ORIGIN, {"file": str(file.absolute())})
    write_private(folder.path / COPY, text)


def read_topology(lab: str) -> Topology | None:
    """The topology a lab was last brought up from, whatever the checks of this version say of it.

    None if the lab never came so far, or if the file cannot be resolved any more; TopologyInvalidError if it cannot
    even be read.
    """
    loaded = _load(lab)
    return None if loaded is None else loaded.topology


def require_topology(lab: str, *, checked: bool = True) -> Topology:
    """The same; TopologyInvalidError if there is none, or, when it is to be `checked`, if it is not valid any more."""
    loaded = _load(lab)
    if loaded is None:
        raise LabNotFoundError(f"lab {lab} has no topology on this host", hint=f"epolab up FILE --name {lab}")
    if loaded.topology is None or (checked and not loaded.valid):
        raise _outdated(lab)
    return loaded.topology


def _load(lab: str) -> Loaded | None:
    copy, file = LabFolder.of(lab).path / COPY, _origin(lab)
    if not copy.exists():
        return None
    text = copy.read_bytes()
    if parse_bytes(text, file).root is None:
        hint = f"epolab up {shlex.quote(file)} --name {lab}"
        raise TopologyInvalidError(load(copy).problems, f"{copy}: the lab's topology is damaged", hint=hint)
    return load_text(text, file)


def _origin(lab: str) -> str:
    folder = LabFolder.of(lab)
    return str((folder.read_json(ORIGIN) or {}).get("file", folder.path / COPY))


def _outdated(lab: str) -> TopologyInvalidError:
    """What this version refuses in a file that an earlier one took."""
    copy, file = LabFolder.of(lab).path / COPY, shlex.quote(_origin(lab))
    errors = [problem for problem in load(copy).problems if problem.severity == "error"]
    codes = ", ".join(dict.fromkeys(problem.code for problem in errors))
    message = f"{copy}: what lab {lab} was brought up from is not valid by the checks of this version: {codes}"
    return TopologyInvalidError(errors, message, hint=f"epolab validate {file}; epolab up {file} --name {lab}")
