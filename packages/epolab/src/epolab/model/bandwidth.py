"""Whether a repository pays at a site, by the sums of the domain: 200 KB a day and node against 70 MB."""

from dataclasses import dataclass

UPDATE_BYTES_PER_NODE = 200_000
REPLICATION_BYTES = 70_000_000


@dataclass(frozen=True, slots=True)
class BandwidthSum:
    """What a site pulls over the WAN per day without a repository, and what one would pull to replicate."""

    nodes: int
    size_bytes: int = UPDATE_BYTES_PER_NODE
    replication_bytes: int = REPLICATION_BYTES

    @property
    def pulled_bytes(self) -> int:
        """Bytes per day if every node of the site fetches for itself."""
        return self.size_bytes * self.nodes

    @property
    def repository_pays(self) -> bool:
        """Whether replication costs no more than what the nodes would pull."""
        return self.pulled_bytes >= self.replication_bytes

    @property
    def break_even_nodes(self) -> int:
        """The smallest number of nodes for which a repository pays."""
        return -(-self.replication_bytes // self.size_bytes)
