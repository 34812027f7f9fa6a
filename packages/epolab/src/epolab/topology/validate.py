"""Everything that can be wrong with a topology beyond its structure, gathered without touching the host."""

from __future__ import annotations

from epolab.model.topology import Topology
from epolab.topology.draft import Draft
from epolab.topology.report import Report


def check_draft(draft: Draft, report: Report, stem: str) -> None:
    """What can be said of the file before anything is resolved."""


def resolvable(report: Report) -> bool:
    """Whether the rest of the checks, and the topology, are defined."""
    return not report.errors


def check_topology(draft: Draft, topology: Topology, report: Report) -> None:
    """What can be said only of the whole: who reaches whom, what pays."""
