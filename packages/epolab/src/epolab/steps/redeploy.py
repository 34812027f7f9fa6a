"""Applies the roles to a lab that is up, and waits until it is ready."""

from __future__ import annotations

from typing import Any

from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.hands.process import mark_session
from epolab.hands.until import seconds
from epolab.steps import deploy, life
from epolab.steps.declaration import require_topology
from epolab.steps.document import timings_document
from epolab.steps.inspect import inspect_lab
from epolab.steps.labs import find_lab, own_labs
from epolab.steps.names import owner_name, pick_lab
from epolab.steps.phase import failure_noted, write_phase
from epolab.steps.progress import Progress
from epolab.steps.replay import replay_notes
from epolab.steps.work import Step, Work, take


def redeploy(lab: str | None, *, force: bool, progress: Progress) -> dict[str, Any]:
    """Do it; the document of the lab as it then is."""
    docker, owner = Docker.connect(), owner_name()
    name = pick_lab(lab, own_labs(docker, owner))
    work = Work(require_topology(name), name, owner, None, docker, LabFolder.of(name), progress)
    start = seconds()
    deploying = Step("deploy", lambda w: deploy.apply_roles(w, force=force))
    with work.folder.lock("lab", wait_seconds=600, on_wait=progress.warn, purpose=f"deploy {name}"):
        mark_session(work.folder.path)
        try:
            with failure_noted(work):
                replay_notes(docker, name, work.topology, progress.warn, ["passing"])
                take(work, (deploying,))
                replay_notes(docker, name, work.topology, progress.warn, ["stored"])
                take(work, life.READY)
                write_phase(work, find_lab(docker, name), "ready")
        finally:
            work.close()
        work.folder.write_json("timings.json", timings_document(work.timings, seconds() - start))
    return inspect_lab(docker, name)
