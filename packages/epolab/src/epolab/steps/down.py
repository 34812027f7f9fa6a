"""Removes a lab, in any phase and without its state file: whatever carries its label, and its folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from epolab.errors import RemovalIncompleteError
from epolab.hands.docker import Docker, each
from epolab.hands.files import LabFolder
from epolab.hands.process import end_leftovers
from epolab.hands.until import until
from epolab.provider import labels
from epolab.steps.labs import find_lab
from epolab.steps.phase import forget_stood
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


def take_down(docker: Docker, lab: str, owner: str, say: Callable[[str], None]) -> Removal:
    """Remove a lab; there being none is fine."""
    folder = LabFolder.of(lab)
    record = find_lab(docker, lab)
    refuse_foreign(record, owner)
    if record is None and not folder.path.exists():
        return Removal()
    with folder.make().lock("lab", wait_seconds=LOCK_SECONDS, on_wait=say, purpose=f"down {lab}"):
        return remove(docker, lab, folder)


def remove(docker: Docker, lab: str, folder: LabFolder) -> Removal:
    """Remove everything of a lab whose lock we hold."""
    end_leftovers(folder.path)
    forget_stood(folder)  # whoever finds the rest of it, should we be killed, may remove it
    removal = Removal()
    until(lambda: _is_empty_after_removing(docker, lab, removal), what=f"removal of lab {lab}", limit_seconds=120)
    removal.removed.sort()
    removal.left = left_of(docker, lab)
    if removal.left:
        raise RemovalIncompleteError(f"of lab {lab} is left: {', '.join(removal.left)}")
    folder.remove()
    return removal


def _is_empty_after_removing(docker: Docker, lab: str, removal: Removal) -> bool:
    """One round; a create that was under way when its command was killed may bring a container after the first."""
    mark = f"{labels.LAB}={lab}"
    containers = [container["Names"][0].lstrip("/") for container in docker.containers(mark)]
    fabric_first = sorted(containers, key=lambda name: name != labels.fabric_container(lab))
    each(docker.remove, fabric_first)
    volumes, networks = docker.volumes(mark), docker.networks(mark)
    each(docker.remove_volume, volumes)
    each(docker.remove_network, networks)
    removal.removed.extend(name for name in (*containers, *volumes, *networks) if name not in removal.removed)
    return not containers and not volumes and not networks


def left_of(docker: Docker, lab: str) -> list[str]:
    """What still carries the lab's label."""
    mark = f"{labels.LAB}={lab}"
    containers = [container["Names"][0].lstrip("/") for container in docker.containers(mark)]
    return [*containers, *docker.volumes(mark), *docker.networks(mark)]
