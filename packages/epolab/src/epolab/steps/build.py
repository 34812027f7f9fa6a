"""Has the images that a lab's nodes and its fabric run."""

from __future__ import annotations

from epolab.images import ensure_image, image_reference
from epolab.model.topology import Topology
from epolab.steps.work import Work


def image_names(topology: Topology) -> tuple[str, ...]:
    """The images that a lab needs."""
    kinds = {node.kind for node in topology.nodes if node.image is None}
    return ("fabric", *(["node"] if "container" in kinds else []), *(["vm"] if "vm" in kinds else []))


def named_images(topology: Topology) -> tuple[str, ...]:
    """The images that nodes name, which are the user's own."""
    return tuple(dict.fromkeys(node.image for node in topology.nodes if node.image is not None))


def run(work: Work) -> bool:
    """Build what the engine does not have."""
    work.images = {name: image_reference(name) for name in image_names(work.topology)}
    lacking = [name for name, reference in work.images.items() if work.docker.image_id(reference) is None]
    for name in lacking:
        ensure_image(name, work.progress.note)
    return bool(lacking)
