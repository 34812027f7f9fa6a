"""Examines a lab that is up, and writes the verdict where it was asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from epolab.errors import ArgumentError, NotReadyError
from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.hands.process import mark_session
from epolab.steps.inspect import require_topology
from epolab.steps.labs import find_lab, own_labs
from epolab.steps.names import owner_name, pick_lab
from epolab.steps.replay import replay_notes
from epolab.verify.report import Report, Result, html_page, junit
from epolab.verify.run import verify as examine


def verify(
    lab: str | None,
    expression: str | None,
    junit_file: Path | None,
    html_file: Path | None,
    tell: Callable[[Result], None],
) -> Report:
    """The verdict on a lab; NotReadyError when it has no nodes that could be examined."""
    docker = Docker.connect()
    name = pick_lab(lab, own_labs(docker, owner_name()))
    topology = require_topology(name)
    record = find_lab(docker, name)
    running = {member.path for member in record.nodes if member.running} if record else set()
    absent = [node.path for node in topology.nodes if node.path not in running]
    if absent:
        hint = f"epolab up {topology.file} --name {name}"
        raise NotReadyError(
            f"{len(absent)} nodes of {name} do not run: {', '.join(absent[:5])}", hint=hint, step="verify"
        )
    folder = LabFolder.of(name)
    mark_session(folder.path)
    replay_notes(docker, name, topology)
    report = examine(name, topology, folder.path, expression, tell)
    _write(junit_file, lambda: junit(report))
    _write(html_file, lambda: html_page(report))
    return report


def _write(path: Path | None, text: Callable[[], str]) -> None:
    if path is None:
        return
    try:
        path.write_text(text(), encoding="utf-8")
    except OSError as error:
        raise ArgumentError(f"{path} cannot be written: {error.strerror}") from error
