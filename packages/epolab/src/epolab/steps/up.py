"""Brings a lab to its declaration, whatever phase it is in, and gives its document."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epolab.errors import InterruptedByUserError
from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.hands.process import end_children, mark_session
from epolab.hands.until import after, now, seconds, stamp
from epolab.model.topology import Topology
from epolab.steps import life
from epolab.steps.declaration import COPY, keep_topology
from epolab.steps.document import timings_document
from epolab.steps.inspect import inspect_lab
from epolab.steps.labs import find_lab
from epolab.steps.names import checked_lab_name, owner_name, parse_duration
from epolab.steps.phase import failure_noted, write_phase
from epolab.steps.progress import Progress
from epolab.steps.replay import replay_notes
from epolab.steps.work import Work, take
from epolab.topology import load_topology

LOCK_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked `up` for."""

    file: Path
    name: str | None = None
    ttl: str | None = None
    deploy: bool = True


def start_work(wish: Wish, topology: Topology, progress: Progress) -> Work:
    """Find out what there is to work with; nothing is made yet."""
    expires = stamp(after(now(), parse_duration(wish.ttl))) if wish.ttl else None
    lab = checked_lab_name(wish.name or topology.name)
    docker = Docker.connect()
    return Work(topology, lab, owner_name(), expires, docker, LabFolder.of(lab), progress)


def up(wish: Wish, progress: Progress) -> dict[str, Any]:
    """Do it; the document of the lab as it then is."""
    topology = load_topology(wish.file)
    work = start_work(wish, topology, progress)
    begin = seconds()
    fresh = not work.folder.path.exists()
    try:
        with work.folder.make().lock("lab", wait_seconds=LOCK_SECONDS, on_wait=progress.warn, purpose=f"up {work.lab}"):
            mark_session(work.folder.path)
            run_steps(work, wish)
            work.folder.write_json("timings.json", timings_document(work.timings, seconds() - begin))
        return inspect_lab(work.docker, work.lab)
    except BaseException:
        discard_untouched(work, fresh=fresh)
        raise
    finally:
        work.close()


def run_steps(work: Work, wish: Wish) -> None:
    """Take the steps; on Ctrl-C end what we started and say how to go on."""
    try:
        with failure_noted(work):
            _in_order(work, wish)
    except KeyboardInterrupt as error:
        end_children()
        again = f"epolab up {shlex.quote(str(wish.file))} --name {work.lab}"
        raise InterruptedByUserError(
            f"interrupted: lab {work.lab} is resumable, nothing of it is lost",
            hint=f"{again} goes on; epolab down {work.lab} removes it",
        ) from error


def _in_order(work: Work, wish: Wish) -> None:
    warn = work.progress.warn
    take(work, life.CHECK)
    keep_topology(work.folder, wish.file)
    take(work, life.MAKE)
    replay_notes(work.docker, work.lab, work.topology, warn, ["passing"])  # only now is there every node that has notes
    take(work, life.MEASURE)
    renew_lease(work)
    if wish.deploy:
        take(work, life.DEPLOY)
        replay_notes(work.docker, work.lab, work.topology, warn, ["stored"])  # only now is there surely a server to ask
        take(work, life.READY)
    write_phase(work, find_lab(work.docker, work.lab), "ready")


def renew_lease(work: Work) -> None:
    """A lab that was up already gets the new lease, if one was asked for."""
    lab = find_lab(work.docker, work.lab)
    if work.expires is None or lab is None or lab.fabric is None:
        return
    lease: Mapping[str, Any] = work.fabric.call("document_read", name="lease") or {}
    work.fabric.call("document_write", name="lease", value={**lease, "expires": work.expires})


def discard_untouched(work: Work, *, fresh: bool) -> None:
    """A folder that we made and under which nothing was created is nothing to keep."""
    if fresh and work.folder.path.exists() and not (work.folder.path / COPY).exists():
        work.folder.remove()
