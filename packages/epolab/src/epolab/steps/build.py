"""Has the images that a lab's nodes and its fabric run."""

from __future__ import annotations

from epolab.images import ensure
from epolab.steps.work import Work


def wanted_images(work: Work) -> tuple[str, ...]:
    """The recipes that this lab needs."""
    kinds = {node.kind for node in work.topology.nodes if node.image is None}
    return ("fabric", *(["node"] if "container" in kinds else []), *(["vm"] if "vm" in kinds else []))


def run(work: Work) -> bool:
    """Build what the engine does not have."""
    built = False
    for name in wanted_images(work):
        image = ensure(name, work.docker, work.progress.note)
        work.images[name] = image.reference
        built = built or image.built
    return built
