"""What the steps of one `up` share: what was asked for, what was found, what each step left for the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from epolab.hands.docker import Docker
from epolab.hands.fabric import Fabric, open_fabric
from epolab.hands.files import LabFolder
from epolab.hands.until import seconds
from epolab.model.topology import Topology
from epolab.provider.labels import fabric_container
from epolab.steps.progress import Progress


@dataclass(slots=True)
class Work:
    """One `up` of one lab."""

    topology: Topology
    lab: str
    owner: str
    expires: str | None
    docker: Docker
    folder: LabFolder
    progress: Progress
    images: dict[str, str] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    _fabric: Fabric | None = None

    @property
    def fabric(self) -> Fabric:
        """The worker in the lab's fabric; opened when first called, and kept."""
        if self._fabric is None:
            self._fabric = open_fabric(self.docker, fabric_container(self.lab))
        return self._fabric

    def close(self) -> None:
        """Let go of the fabric; whoever needs it next opens it anew."""
        if self._fabric is not None:
            self._fabric.close()
            self._fabric = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `run` gives whether there was anything to do."""

    name: str
    run: Callable[[Work], bool]


def read_done(work: Work, step: str) -> Any:
    """The digest of the inputs with which a step was last done."""
    return (work.folder.read_json("steps.json") or {}).get(step)


def write_done(work: Work, step: str, digest: str | None) -> None:
    """Remember that a step was done with these inputs; None forgets it."""
    steps: Mapping[str, Any] = work.folder.read_json("steps.json") or {}
    work.folder.write_json("steps.json", {**steps, step: digest})


def take(work: Work, steps: tuple[Step, ...]) -> None:
    """Take the steps in order."""
    for step in steps:
        work.progress.begin(step.name)
        start = seconds()
        did = step.run(work)
        work.timings[step.name] = round(seconds() - start, 3)
        work.progress.end(step.name, work.timings[step.name], skipped=not did)
