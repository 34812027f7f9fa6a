"""Has the WAN's certificate measured when a link was built or changed, and keeps the last one otherwise."""

from __future__ import annotations

from epolab.model.document import to_document
from epolab.provider.labels import digest_of
from epolab.steps.labs import find_lab
from epolab.steps.phase import write_phase
from epolab.steps.work import Work, read_done, write_done

CERTIFICATE = "certificate.json"


def inputs(work: Work) -> str:
    """What a certificate is true of: the declared links, and the fabric and routers that they were measured on."""
    lab = find_lab(work.docker, work.lab)
    members = [] if lab is None else [m for m in lab.members if m.path is None or "router" in m.components]
    return digest_of([to_document(work.topology.links), sorted(member.identity for member in members)])


def run(work: Work) -> bool:
    """Measure all links in one go; nothing to do without links, or when none was built or changed."""
    if not work.topology.links:
        return False
    digest = inputs(work)
    if read_done(work, "measure") == digest and work.folder.read_json(CERTIFICATE) is not None:
        return False
    from epolab.verify.measure import measure

    write_done(work, "measure", None)
    write_phase(work, find_lab(work.docker, work.lab), "creating")
    measure(work.topology, work.folder, work.docker, work.progress.note)
    write_done(work, "measure", digest)
    return True
