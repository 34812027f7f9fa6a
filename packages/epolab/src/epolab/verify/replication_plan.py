"""Which repositories and agents the checks of a replication are about (pure)."""

from __future__ import annotations

from epolab.model import facts
from epolab.model.topology import Topology


def replication_subjects(topology: Topology) -> dict[str, tuple[str, ...]]:
    """The repositories that content comes to over lines, and the agents that should take it from a repository."""
    repositories = facts.repositories(topology)
    home = facts.server(topology).site
    users = [node.path for each in repositories for node in (each, *facts.repository_clients(topology, each))]
    remote = tuple(node.path for node in repositories if node.site != home)
    return {"remote_repository": remote, "client": tuple(users)}
