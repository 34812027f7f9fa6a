"""Has the roles applied to the nodes whose inputs changed."""

from __future__ import annotations

from epolab.steps.labs import find_lab
from epolab.steps.phase import write_phase
from epolab.steps.work import Work


def run(work: Work) -> bool:
    """Apply the roles."""
    return apply_roles(work, force=False)


def apply_roles(work: Work, *, force: bool) -> bool:
    """Apply the roles; gives whether any node needed them."""
    from epolab.deploy import deploy  # here, because it takes a while to import

    write_phase(work, find_lab(work.docker, work.lab), "deploying")
    report = deploy(work.topology, work.folder, force=force, progress=work.progress.note)
    return bool(report.ran)
