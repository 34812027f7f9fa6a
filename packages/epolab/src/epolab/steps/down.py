"""Removes a lab, in any phase and without its state file: whatever carries its label, and its folder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from epolab.errors import EpolabError, RemovalIncompleteError
from epolab.hands.docker import Docker, each
from epolab.hands.files import LabFolder, remove_remains
from epolab.hands.process import end_leftovers
from epolab.hands.until import until
from epolab.provider import labels
from epolab.steps.labs import find_lab
from epolab.steps.phase import begin_removal
from epolab.steps.preflight import refuse_foreign

LOCK_SECONDS = 600.0


@dataclass(slots=True)
class Removal:
    """What was removed and what is left, by name."""

    removed: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def document(self) -> dict[str, list[str]]:
        """The document of `down` and `sweep`."""
        return {"removed": self.removed, "left": self.left}


def take_down(
    docker: Docker, lab: str, owner: str, say: Callable[[str], None], removal: Removal | None = None
) -> Removal:
    """Remove a lab; there being none is fine.

    `removal` is filled as things go, also when it ends in an error: then at least the lab itself is named as left.
    """
    removal = removal or Removal()
    before = len(removal.left)
    try:
        _take_down(docker, lab, owner, say, removal)
    except BaseException:
        if len(removal.left) == before:
            removal.left.append(lab)
        raise
    return removal


def _take_down(docker: Docker, lab: str, owner: str, say: Callable[[str], None], removal: Removal) -> None:
    folder = LabFolder.of(lab)
    record = find_lab(docker, lab)
    refuse_foreign(record, owner)
    if record is None and not folder.path.exists():
        remove_remains(lab)
        return
    with folder.make().lock("lab", wait_seconds=LOCK_SECONDS, on_wait=say, purpose=f"down {lab}"):
        remove(docker, lab, folder, removal)


def remove(docker: Docker, lab: str, folder: LabFolder, removal: Removal) -> None:
    """Remove everything of a lab whose lock we hold; WorldError when something is left."""
    end_leftovers(folder.path)
    begin_removal(folder)
    seen: set[str] = set()
    try:
        until(lambda: _is_empty_after_removing(docker, lab, seen), what=f"removal of lab {lab}", limit_seconds=120)
    except BaseException:
        with suppress(EpolabError):  # the first error is the one to tell; then the lab's name stands for what is left
            _note(removal, seen, left_of(docker, lab))
        raise
    left = left_of(docker, lab)
    _note(removal, seen, left)
    if left:
        raise RemovalIncompleteError(f"of lab {lab} is left: {', '.join(left)}")
    folder.remove()


def _note(removal: Removal, seen: set[str], left: list[str]) -> None:
    removal.left.extend(left)
    removal.removed.extend(sorted(seen - set(left)))


def _is_empty_after_removing(docker: Docker, lab: str, seen: set[str]) -> bool:
    """One round; a create that was under way when its command was killed may bring a container after the first."""
    mark = f"{labels.LAB}={lab}"
    containers = [container["Names"][0].lstrip("/") for container in docker.containers(mark)]
    seen.update(containers)
    fabric_first = sorted(containers, key=lambda name: name != labels.fabric_container(lab))
    each(docker.remove, fabric_first)
    volumes, networks = docker.volumes(mark), docker.networks(mark)
    seen.update((*volumes, *networks))
    each(docker.remove_volume, volumes)
    each(docker.remove_network, networks)
    return not containers and not volumes and not networks


def left_of(docker: Docker, lab: str) -> list[str]:
    """What still carries the lab's label."""
    mark = f"{labels.LAB}={lab}"
    containers = [container["Names"][0].lstrip("/") for container in docker.containers(mark)]
    return [*containers, *docker.volumes(mark), *docker.networks(mark)]
