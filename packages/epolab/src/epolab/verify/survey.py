"""Where every interface of the lab leads, as the fabric sees it from inside each namespace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from epolab.errors import ContainerError
from epolab.hands.docker import Docker
from epolab.hands.fabric import open_fabric
from epolab.model.node import Node

# node path, "fabric" or "host" → {"namespace": inode, "interfaces": [{"name", "index", "kind", "peer": {…} or None}]}
Survey = dict[str, dict[str, Any]]


def survey(lab: str, nodes: Iterable[Node]) -> Survey:
    """Every interface of the namespaces of these nodes and of the fabric; ContainerError when one does not run."""
    docker = Docker.connect()
    pids = {node.path: _pid(docker, f"{lab}.{node.site}.{node.name}") for node in nodes}
    with open_fabric(docker, f"{lab}.fabric") as fabric:
        seen: Survey = fabric.call("survey", pids=pids)
    return seen


def _pid(docker: Docker, container: str) -> int:
    state = (docker.inspect(container) or {}).get("State", {})
    if not state.get("Running"):
        raise ContainerError(f"the container {container} does not run", hint="epolab up")
    return int(state["Pid"])
