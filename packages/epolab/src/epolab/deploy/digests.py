"""Which nodes need no deploying: those whose inputs are the ones they were last deployed with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from epolab.hands.files import LabFolder

DOCUMENT = "digests.json"
PATH_SUFFIXES = ("_certificate", "_key", "_file", "_archive")


def tree_digest(*folders: Path) -> str:
    """What the files of some folders amount to; bytecode does not count."""
    hashed = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                hashed.update(f"{path.relative_to(folder).as_posix()}\0".encode())
                hashed.update(hashlib.sha256(path.read_bytes()).digest())
    return hashed.hexdigest()


def node_digest(variables: Mapping[str, Any], container_id: str, roles: str) -> str:
    """What one node's inputs amount to: its variables, the files they name, its container and the roles."""
    hashed = hashlib.sha256(json.dumps(variables, sort_keys=True, default=str).encode())
    for name, value in sorted(variables.items()):
        if name.endswith(PATH_SUFFIXES) and value:
            hashed.update(f"\0{name}\0".encode())
            hashed.update(hashlib.sha256(Path(value).read_bytes()).digest())
    hashed.update(f"\0{container_id}\0{roles}".encode())
    return hashed.hexdigest()


def stale(digests: Mapping[str, str], folder: LabFolder) -> tuple[str, ...]:
    """The nodes (by path) whose digest is not the recorded one."""
    recorded = folder.read_json(DOCUMENT) or {}
    return tuple(path for path, digest in digests.items() if recorded.get(path) != digest)


def record(digests: Mapping[str, str], deployed: set[str], folder: LabFolder) -> None:
    """Remember the digests of nodes that were deployed; those of nodes that are gone are forgotten."""
    recorded = folder.read_json(DOCUMENT) or {}
    kept = {path: digest for path, digest in recorded.items() if path in digests}
    folder.write_json(DOCUMENT, kept | {path: digests[path] for path in deployed})


def forget(paths: tuple[str, ...], folder: LabFolder) -> None:
    """What is about to be deployed counts as not deployed until it is."""
    recorded = folder.read_json(DOCUMENT) or {}
    folder.write_json(DOCUMENT, {path: digest for path, digest in recorded.items() if path not in paths})
