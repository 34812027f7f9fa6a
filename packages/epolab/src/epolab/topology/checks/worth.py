"""What works but does not pay, by the bandwidth sums of the domain."""

from __future__ import annotations

from epolab.model import facts
from epolab.model.bandwidth import BandwidthSum
from epolab.model.topology import Topology
from epolab.topology.draft import Draft
from epolab.topology.report import Report


def check_worth(draft: Draft, topology: Topology, report: Report) -> None:
    """Warn of repositories on segments whose agents pull less per day than replication takes."""
    told: set[str | None] = set()
    for repository in facts.repositories(topology):
        segment = facts.served_segment(repository)
        if segment in told or not facts.links_between(topology, facts.server(topology), repository):
            continue
        told.add(segment)
        agents = [agent for agent in facts.agents(topology) if segment in facts.segments_of(agent)]
        worth = BandwidthSum(len(agents))
        if not worth.repository_pays:
            report.warning(
                draft.by_path[repository.path].place_of("superagent"),
                "repository-not-worth",
                f'a repository at "{repository.site}" takes more than it saves: 200 KB x {worth.nodes} nodes = '
                f"{megabytes(worth.pulled_bytes)} MB a day, less than the {megabytes(worth.replication_bytes)} MB "
                "that replication takes",
                f"it pays from {worth.break_even_nodes} nodes on; in a lab it is there to be seen at work",
            )


def megabytes(count: int) -> str:
    """Decimal megabytes without needless digits."""
    return f"{count / 1_000_000:g}"
