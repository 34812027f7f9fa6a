"""Removes the labs whose time is over, and those that nobody will finish any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.hands.process import is_alive
from epolab.hands.until import now, parse_stamp
from epolab.steps.down import Removal, take_down
from epolab.steps.labs import LabRecord, own_labs
from epolab.steps.phase import INTERRUPTIBLE, creator_of, read_phase, read_stood


def expiry(lab: LabRecord, phase: Mapping[str, Any] | None, stood: Mapping[str, Any] | None) -> str | None:
    """When the lab's lease ends: as its fabric remembers it, else as its folder does, else as its labels tell."""
    lease: Mapping[str, str | None] = (phase or {}).get("lease") or (stood or {}).get("lease") or {}
    return lease.get("expires", lab.expires)


def is_expired(expires: str | None, moment: datetime) -> bool:
    """Whether a lease is over."""
    return expires is not None and parse_stamp(expires) <= moment


def is_abandoned(phase: dict[str, Any] | None, *, held: bool, stood: bool) -> bool:
    """Whether the lab was being made or removed, and whoever did so is gone.

    A lab that stood (was ready, and nobody began to remove it) loses its fabric when Docker or the host starts anew;
    `up` gives it another.
    """
    if held:
        return False
    if phase is None or not phase.get("phase"):
        return not stood  # no fabric: neither its making nor its removal came to its end
    creator = creator_of(phase)
    return phase["phase"] in INTERRUPTIBLE and (creator is None or not is_alive(creator))


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


def sweep(docker: Docker, owner: str, *, every: bool, say: Callable[[str], None]) -> Removal:
    """Remove them."""
    total = Removal()
    for lab in doomed_labs(docker, owner, every=every):
        say(f"removing {lab}")
        removal = take_down(docker, lab, owner, say)
        total.removed.extend(removal.removed)
        total.left.extend(removal.left)
    return total
