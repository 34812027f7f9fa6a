"""Examines a lab that is up, and writes the verdict where it was asked for."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from epolab.errors import ArgumentError, NotReadyError
from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.hands.process import mark_session
from epolab.model.topology import Topology
from epolab.steps.declaration import require_topology
from epolab.steps.labs import LabRecord, find_lab, own_labs
from epolab.steps.names import owner_name, pick_lab
from epolab.steps.replay import Inspector, refuse_waiting, replay_possible
from epolab.verify.report import Report, Result, html_page, junit
from epolab.verify.run import verify as examine


def verify(
    lab: str | None,
    expression: str | None,
    junit_file: Path | None,
    html_file: Path | None,
    tell: Callable[[Result], None],
    warn: Callable[[str], None],
) -> Report:
    """The verdict on a lab; nodes that do not run break it. NotReadyError for a lab without a fabric that runs."""
    docker = Docker.connect()
    name = pick_lab(lab, own_labs(docker, owner_name()))
    topology = require_topology(name)
    absent = absent_nodes(docker, topology, require_fabric(find_lab(docker, name), name, topology))
    folder = LabFolder.of(name)
    mark_session(folder.path)
    absent = replayed(docker, name, topology, absent, warn)
    report = examine(name, topology, folder.path, expression, tell, absent)
    _write(junit_file, lambda: junit(report))
    _write(html_file, lambda: html_page(report))
    return report


def require_fabric(lab: LabRecord | None, name: str, topology: Topology) -> LabRecord:
    """The lab, which must have a fabric that runs: without it nothing can be examined."""
    if lab is not None and lab.fabric is not None and lab.fabric.running:
        return lab
    hint = f"epolab up {shlex.quote(topology.file)} --name {name}"
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


def replayed(
    docker: Docker, name: str, topology: Topology, absent: dict[str, str], warn: Callable[[str], None]
) -> dict[str, str]:
    """Put back what an earlier verification disturbed; what has to wait for an absent node is told of that node."""
    waiting = replay_possible(docker, name, topology, warn)
    refuse_waiting(name, topology, waiting.keys() - absent.keys())
    return {path: f"{seen}{_left(waiting.get(path))}" for path, seen in absent.items()}


def _left(reasons: str | None) -> str:
    return f" (a verification was killed, and what it disturbed waits for this node: {reasons})" if reasons else ""


def _write(path: Path | None, text: Callable[[], str]) -> None:
    if path is None:
        return
    try:
        path.write_text(text(), encoding="utf-8")
    except OSError as error:
        raise ArgumentError(f"{path} cannot be written: {error.strerror}") from error
