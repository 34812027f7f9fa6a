"""What phase a lab is in, as its fabric remembers it; and that it once stood, as its folder remembers for longer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from epolab.errors import EpolabError, FabricError, LabBusyError
from epolab.hands.docker import Docker
from epolab.hands.fabric import Fabric
from epolab.hands.files import LabFolder
from epolab.hands.process import Creator, this_process
from epolab.hands.until import now, stamp
from epolab.steps.labs import LabRecord, find_lab
from epolab.steps.work import Work

STOOD = "stood.json"
REMOVAL = "removal.json"
REMOVING = ("removing",)
INTERRUPTIBLE = ("creating", "deploying", *REMOVING)
# Reading takes no worker: starting one for a look costs ten times as much.
_READ = 'cd /run/epolab/documents && for name in phase lease; do cat "$name.json" 2>/dev/null || echo null; echo; done'


def read_phase(docker: Docker, lab: LabRecord) -> dict[str, Any] | None:
    """The phase document ({phase, creator}) and the lease; None when there is no living fabric to ask.

    A removal that has begun is known from the lab's folder, because the fabric is the first to go.
    """
    removal: dict[str, Any] | None = LabFolder.of(lab.name).read_json(REMOVAL)
    return removal or _fabrics_phase(docker, lab)


def _fabrics_phase(docker: Docker, lab: LabRecord) -> dict[str, Any] | None:
    if lab.fabric is None or not lab.fabric.running:
        return None
    done = docker.exec(lab.fabric.name, ["sh", "-c", _READ], limit_seconds=30)
    return parse_documents(done.text) if done.exit_code == 0 else None


def parse_documents(text: str) -> dict[str, Any]:
    """Phase and lease, a JSON document each."""
    phase, lease = (json.loads(line) or {} for line in text.split("\n") if line)
    return {**phase, "lease": lease}


def write_phase(work: Work, lab: LabRecord | None, phase: str) -> None:
    """Record the phase, and us as whoever brings it about; nothing to record it in before there is a fabric.

    A lab whose removal was interrupted is one that is brought about again.
    """
    (work.folder.path / REMOVAL).unlink(missing_ok=True)
    if lab is not None and lab.fabric is not None and lab.fabric.running:
        record_phase(work.fabric, phase)
        if phase == "ready":
            lease = work.fabric.call("document_read", name="lease")
            work.folder.write_json(STOOD, {"ready": stamp(now()), "lease": lease})


def read_stood(folder: LabFolder) -> dict[str, Any] | None:
    """When the lab was last ready and the lease that it had then; None if it never was, or is being removed."""
    stood: dict[str, Any] | None = folder.read_json(STOOD)
    return stood


def begin_removal(folder: LabFolder) -> None:
    """Record that the lab is being removed, by us, and that it need not last: should we be killed, a sweep goes on."""
    with suppress(OSError):  # a disk that is full must not keep the lab: its removal makes room
        folder.write_json(REMOVAL, {"phase": "removing", "creator": this_process().document()})
    (folder.path / STOOD).unlink(missing_ok=True)


def record_phase(fabric: Fabric, phase: str) -> None:
    """Record the phase in the fabric."""
    fabric.call("phase_write", phase=phase, creator=this_process().document())


@contextmanager
def failure_noted(work: Work) -> Iterator[None]:
    """Record that the lab failed when the block does; that somebody else has the lab is no failure of it."""
    try:
        yield
    except LabBusyError:
        raise
    except EpolabError:
        note_failure(work, find_lab(work.docker, work.lab))
        raise


def note_failure(work: Work, lab: LabRecord | None) -> None:
    """Record that the lab failed, if there is a fabric that can record anything."""
    try:
        write_phase(work, lab, "failed")
    except FabricError as error:
        work.progress.note(f"the failure could not be recorded in the fabric: {error.message}")


def creator_of(phase: dict[str, Any]) -> Creator | None:
    """Who brought the phase about."""
    record = phase.get("creator")
    return None if record is None else Creator(record["host"], int(record["pid"]), str(record["started"]))
