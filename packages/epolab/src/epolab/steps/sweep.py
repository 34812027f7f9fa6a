"""Removes the labs whose time is over, and those that nobody will finish any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from epolab.errors import EpolabError, RemovalIncompleteError
from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder, remove_remains
from epolab.hands.process import is_alive
from epolab.hands.until import now, parse_stamp
from epolab.steps.down import Removal, take_down
from epolab.steps.labs import LabRecord, own_labs
from epolab.steps.phase import INTERRUPTIBLE, REMOVING, creator_of, read_phase, read_stood


def expiry(lab: LabRecord, phase: Mapping[str, Any] | None, stood: Mapping[str, Any] | None) -> str | None:
    """When the lab's lease ends: as its fabric remembers it, else as its folder does, else as its labels tell."""
    lease: Mapping[str, str | None] = (phase or {}).get("lease") or (stood or {}).get("lease") or {}
    return lease.get("expires", lab.expires)


def is_expired(expires: str | None, moment: datetime) -> bool:
    """Whether a lease is over."""
    return expires is not None and parse_stamp(expires) <= moment


def is_abandoned(phase: dict[str, Any] | None, *, held: bool, stood: bool) -> bool:
    """Whether the lab was being made or removed, and whoever did so is gone.

    A lab that stood (was ready, and nobody began to remove it) is nobody's debris: when a later `up` or `deploy` on it
    is interrupted, or it loses its fabric to a new start of Docker or the host, `up` brings it back.
    """
    if held:
        return False
    if phase is None or not phase.get("phase"):
        return not stood  # no fabric: neither its making nor its removal came to its end
    creator = creator_of(phase)
    left = creator is None or not is_alive(creator)
    return left and phase["phase"] in (INTERRUPTIBLE if not stood else REMOVING)


def doomed_labs(docker: Docker, owner: str, *, every: bool) -> list[str]:
    """The labs of this owner that a sweep removes."""
    doomed = []
    for name, lab in own_labs(docker, owner).items():
        phase = read_phase(docker, lab)
        folder = LabFolder.of(name)
        held, stood = folder.is_locked("lab"), read_stood(folder)
        over = is_expired(expiry(lab, phase, stood), now())
        if every or over or is_abandoned(phase, held=held, stood=stood is not None):
            doomed.append(name)
    return doomed


def sweep(
    docker: Docker, owner: str, *, every: bool, say: Callable[[str], None], total: Removal | None = None
) -> Removal:
    """Remove them, each for itself; RemovalIncompleteError at the end when one could not be removed.

    `total` is filled as things go, also when it ends in an error.
    """
    total = total or Removal()
    remove_remains()
    failures = [
        failure
        for lab in doomed_labs(docker, owner, every=every)
        if (failure := _removed_or_why_not(docker, lab, owner, say, total)) is not None
    ]
    if failures:
        said = f"{len(failures)} lab{'s' if len(failures) > 1 else ''} could not be removed"
        raise RemovalIncompleteError(said, hint="epolab sweep", evidence=failures)
    return total


def _removed_or_why_not(docker: Docker, lab: str, owner: str, say: Callable[[str], None], total: Removal) -> str | None:
    """Remove one lab; the failure in words."""
    say(f"removing {lab}")
    try:
        take_down(docker, lab, owner, say, total)
    except (EpolabError, OSError) as error:
        return f"{lab}: {error.message if isinstance(error, EpolabError) else error}"
    return None
