"""Has the Pulumi engine make the lab as declared, unless it is so already."""

from __future__ import annotations

from typing import Any

from epolab.components.settings import LabSettings
from epolab.errors import FabricError
from epolab.hands.docker import each
from epolab.hands.guest import until_listening
from epolab.hands.ssh import write_config
from epolab.hands.until import now, stamp
from epolab.model.document import to_document
from epolab.provider.labels import digest_of
from epolab.steps.drivers import chosen_drivers, host_facts, refuse_impossible
from epolab.steps.labs import LabRecord, find_lab
from epolab.steps.phase import write_phase
from epolab.steps.work import Work, read_done, write_done


def settings_of(work: Work, lab: LabRecord | None) -> LabSettings:
    """What the declaration needs beside the topology; a lab that exists keeps its day of creation."""
    offered = host_facts(work.docker)
    refuse_impossible(work.topology, offered)  # again, because the image to try it with may have come since
    return LabSettings(
        lab=work.lab,
        owner=work.owner,
        created=(lab.created if lab else None) or stamp(now()),
        expires=work.expires,
        images=work.images,
        tun=offered.tun,
        drivers=chosen_drivers(work.topology, offered),
    )


def declared(work: Work, settings: LabSettings) -> dict[str, Any]:
    """All that the engine's part of a lab depends on."""
    return {
        "sites": to_document([(site.name, site.segments, site.nodes) for site in work.topology.sites]),
        "links": to_document(work.topology.links),
        "images": dict(settings.images),
        "drivers": dict(settings.drivers),
        "tun": settings.tun,
    }


def observed(work: Work, lab: LabRecord | None) -> dict[str, Any]:
    """What is there: each container's identity and start, and the links that the fabric holds."""
    if lab is None:
        return {}

    def state(name: str) -> list[Any]:
        container = work.docker.inspect(name)
        return (
            []
            if container is None
            else [container["Id"], container["State"]["StartedAt"], container["State"]["Running"]]
        )

    names = [member.name for member in lab.members]
    return {"containers": dict(zip(names, each(state, names), strict=True)), "links": held_links(work, lab)}


def held_links(work: Work, lab: LabRecord) -> list[str]:
    """The links that the fabric holds; none if it is not there to ask."""
    if not work.topology.links or lab.fabric is None or not lab.fabric.running:
        return []
    try:
        return sorted(work.fabric.call("link_state"))
    except FabricError:
        return []


def run(work: Work) -> bool:
    """Make it so; nothing to do when declaration and world are as they were when it was last made so."""
    lab = find_lab(work.docker, work.lab)
    settings = settings_of(work, lab)
    wanted = declared(work, settings)
    if read_done(work, "engine") == digest_of([wanted, observed(work, lab)]):
        return False
    write_done(work, "engine", None)
    write_phase(work, lab, "creating")
    build(work, settings)
    lab = find_lab(work.docker, work.lab)
    assert lab is not None, "a lab that was just made is there"
    lab = remove_strays(work, lab)
    record_nodes(work, lab)
    until_guests_listen(work, lab)
    write_done(work, "engine", digest_of([wanted, observed(work, lab)]))
    return True


def build(work: Work, settings: LabSettings) -> None:
    """Run the engine."""
    from epolab.stack import bring_up  # here, because it takes a second to import and a no-op does not need it

    bring_up(work.topology, settings, work.folder, work.progress.note)
    work.close()  # the engine may have replaced the fabric, and a stream into a removed container never ends


def remove_strays(work: Work, lab: LabRecord) -> LabRecord:
    """Remove nodes that are not declared any more and that a lost state file knew nothing of."""
    paths = {node.path for node in work.topology.nodes}
    strays = [member.name for member in lab.nodes if member.path not in paths]
    each(work.docker.remove, strays)
    return find_lab(work.docker, work.lab) or lab if strays else lab


def record_nodes(work: Work, lab: LabRecord) -> None:
    """Write down which container each node is, for whoever deploys, verifies or connects."""
    nodes = {str(m.path): {"container": m.name, "id": m.identity, "kind": m.kind} for m in lab.nodes}
    work.folder.write_json("nodes.json", nodes)
    write_config(work.folder, nodes)


def until_guests_listen(work: Work, lab: LabRecord) -> None:
    """Wait until each VM's guest takes connections."""
    guests = [member.name for member in lab.nodes if member.kind == "vm"]
    each(lambda name: until_listening(work.docker, name), guests)
