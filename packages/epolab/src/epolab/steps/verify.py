"""Examines a lab that is up, and writes the verdict where it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from epolab.errors import ArgumentError, LabBusyError, NotReadyError, WorldError
from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.hands.process import mark_session
from epolab.model.topology import Topology
from epolab.steps.inspect import require_topology
from epolab.steps.labs import LabRecord, find_lab, own_labs
from epolab.steps.names import owner_name, pick_lab
from epolab.steps.replay import replay_notes
from epolab.verify.report import Report, Result, html_page, junit
from epolab.verify.run import verify as examine


class Inspector(Protocol):
    """As much of the container runtime as a node that does not run is looked at with."""

    def inspect(self, name: str) -> dict[str, Any] | None:
        """A container in full; None if there is none."""


def verify(
    lab: str | None,
    expression: str | None,
    junit_file: Path | None,
    html_file: Path | None,
    tell: Callable[[Result], None],
) -> Report:
    """The verdict on a lab; nodes that do not run break it. NotReadyError for a lab without a fabric that runs."""
    docker = Docker.connect()
    name = pick_lab(lab, own_labs(docker, owner_name()))
    topology = require_topology(name)
    absent = absent_nodes(docker, topology, require_fabric(find_lab(docker, name), name, topology))
    folder = LabFolder.of(name)
    mark_session(folder.path)
    absent = _replayed(docker, name, topology, absent)
    report = examine(name, topology, folder.path, expression, tell, absent)
    _write(junit_file, lambda: junit(report))
    _write(html_file, lambda: html_page(report))
    return report


def require_fabric(lab: LabRecord | None, name: str, topology: Topology) -> LabRecord:
    """The lab, which must have a fabric that runs: without it nothing can be examined."""
    if lab is not None and lab.fabric is not None and lab.fabric.running:
        return lab
    hint = f"epolab up {topology.file} --name {name}"
    raise NotReadyError(f"the fabric of {name} does not run", hint=hint, step="verify")


def absent_nodes(docker: Inspector, topology: Topology, lab: LabRecord) -> dict[str, str]:
    """What is to be seen of each node (path) that does not run."""
    members = {node.path: lab.node(node.path) for node in topology.nodes}
    return {
        path: "it has no container" if member is None else _seen(docker, member.name)
        for path, member in members.items()
        if member is None or not member.running
    }


def _seen(docker: Inspector, container: str) -> str:
    state = (docker.inspect(container) or {}).get("State")
    if state is None:
        return f"its container {container} is gone"
    ended = f" with code {state['ExitCode']}" if state["Status"] == "exited" else ""
    return f"its container {container} is {state['Status']}{ended}"


def _replayed(docker: Docker, name: str, topology: Topology, absent: dict[str, str]) -> dict[str, str]:
    """Put back what an earlier verification disturbed; what has to wait for a node that does not run is told of it."""
    try:
        replay_notes(docker, name, topology)
    except LabBusyError:
        raise
    except WorldError as error:
        if not absent:
            raise
        return {path: f"{seen} ({error.message})" for path, seen in absent.items()}
    return absent


def _write(path: Path | None, text: Callable[[], str]) -> None:
    if path is None:
        return
    try:
        path.write_text(text(), encoding="utf-8")
    except OSError as error:
        raise ArgumentError(f"{path} cannot be written: {error.strerror}") from error
