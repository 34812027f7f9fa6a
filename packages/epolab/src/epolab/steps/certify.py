"""Has the WAN's certificate measured when a link was built or changed, and keeps the last one otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epolab.hands.docker import each
from epolab.model.document import to_document
from epolab.provider.labels import digest_of
from epolab.steps.alone import alone
from epolab.steps.drivers import chosen_drivers, host_facts
from epolab.steps.labs import find_lab
from epolab.steps.measuring import measure_in_silence
from epolab.steps.phase import write_phase
from epolab.steps.work import Work, read_done, write_done

CERTIFICATE = "certificate.json"


def inputs(work: Work, drivers: Mapping[str, str]) -> str:
    """What a certificate is true of: the declared links, their drivers, and the starts of the fabric and the routers.

    A router that was restarted lost its ends of the links, and the engine attached them anew.
    """
    lab = find_lab(work.docker, work.lab)
    members = [] if lab is None else [m for m in lab.members if m.path is None or "router" in m.components]

    def start(name: str) -> list[Any]:
        container = work.docker.inspect(name)
        return [] if container is None else [container["Id"], container["State"]["StartedAt"]]

    starts = sorted(each(start, [member.name for member in members]))
    return digest_of([to_document(work.topology.links), dict(drivers), starts])


def run(work: Work) -> bool:
    """Measure all links in one go; nothing to do without links, or when none was built or changed.

    While a verification has the lab, its phase stays what it was.
    """
    if not work.topology.links:
        return False
    digest = inputs(work, chosen_drivers(work.topology, host_facts(work.docker)))
    if read_done(work, "measure") == digest and work.folder.read_json(CERTIFICATE) is not None:
        return False
    with alone(work.folder.path, work.progress.warn):
        write_done(work, "measure", None)
        write_phase(work, find_lab(work.docker, work.lab), "creating")
        measure_in_silence(work.topology, work.folder, work.docker, work.progress.note)
    write_done(work, "measure", digest)
    return True
