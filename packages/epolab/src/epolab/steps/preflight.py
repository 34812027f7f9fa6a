"""Refuses what this host cannot carry, before anything is created."""

from __future__ import annotations

from epolab.errors import DiskShortError, ImageMissingError, LabForeignError, MemoryShortError
from epolab.hands import host_network, pulumi_engine
from epolab.hands.capacity import free_disk_mib, free_memory_mib
from epolab.hands.host import image_hint
from epolab.hands.process import end_leftovers
from epolab.model import facts
from epolab.steps.build import named_images
from epolab.steps.drivers import degradations, host_facts, refuse_impossible
from epolab.steps.labs import LabRecord, find_lab
from epolab.steps.work import Work

# keys, the engine's state, what is deployed, logs
DISK_MIB = 32


def run(work: Work) -> bool:
    """Check owner, memory, devices and the engine; note how the host's network is before there is a lab."""
    pulumi_engine.find()
    lab = find_lab(work.docker, work.lab)
    refuse_foreign(lab, work.owner)
    refuse_full_disk(work)
    refuse_missing_images(work)
    refuse_short_memory(work, lab)
    refuse_links(work)
    end_leftovers(work.folder.path)
    if lab is None or work.folder.read_json("host-before.json") is None:
        work.folder.write_json("host-before.json", host_network.snapshot())
    return True


def refuse_foreign(lab: LabRecord | None, owner: str) -> None:
    """A lab of that name may exist, but only of the same owner."""
    if lab is not None and lab.owner != owner:
        raise LabForeignError(
            f"lab {lab.name} belongs to {lab.owner}", hint="choose another name with --name", step="preflight"
        )


def refuse_full_disk(work: Work) -> None:
    """What a lab writes down must find room: keys, state, logs."""
    free = free_disk_mib(work.folder.path)
    if free < DISK_MIB:
        raise DiskShortError(
            f"the lab's folder needs {DISK_MIB} MiB, and {free} MiB are free at {work.folder.path}",
            hint=f"df -h {work.folder.path}; make room there, or EPOLAB_HOME=FOLDER names another place",
            step="preflight",
        )


def refuse_missing_images(work: Work) -> None:
    """Images that nodes name must be there: they are the user's, and we neither build nor fetch them."""
    missing = [name for name in named_images(work.topology) if work.docker.image_id(name) is None]
    if missing:
        users = [node.path for node in work.topology.nodes if node.image in missing]
        raise ImageMissingError(
            f"the engine has no image {', '.join(missing)}, of which {', '.join(users)} shall be made",
            hint=image_hint(missing[0]),
            step="preflight",
        )


def refuse_short_memory(work: Work, lab: LabRecord | None) -> None:
    """The nodes that do not run yet must fit in what is free."""
    running = {member.path for member in lab.nodes if member.running} if lab else set()
    needed = sum(node.memory_mib for node in work.topology.nodes if node.path not in running)
    free = free_memory_mib()
    if needed > free:
        raise MemoryShortError(
            f"the nodes need {needed} MiB, of {facts.memory_mib(work.topology)} MiB in all, and {free} MiB are free",
            hint="epolab ls, epolab down LAB; or fewer nodes, or less memory for them in the topology",
            step="preflight",
        )


def refuse_links(work: Work) -> None:
    """Links and virtual machines must be possible here; what a link loses with its topology's consent is said."""
    offered = host_facts(work.docker)
    refuse_impossible(work.topology, offered)
    for loss in degradations(work.topology, offered):
        work.progress.warn(loss)
