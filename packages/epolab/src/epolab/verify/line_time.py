"""How long content may take over the lab's lines, by the slowest of them on its way (pure)."""

from __future__ import annotations

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.knocks import TIMEOUT_SECONDS

# lines are shared, lose packets, and TCP starts slowly on them
MARGIN = 3.0
SLACK_SECONDS = 60.0
# TCP begins a lost handshake again after 1 s, and once more 2 s later (RFC 6298)
BEGUN_AGAIN_SECONDS = 3.0


def round_trip_seconds(topology: Topology, source: Node, destination: Node) -> float:
    """What the lines between two nodes hold up a packet and its answer; 0 without a line."""
    shapes = [
        shape for link in facts.links_between(topology, source, destination) for shape in (link.a_to_b, link.b_to_a)
    ]
    return sum(shape.delay_ms + shape.jitter_ms for shape in shapes) / 1000


def patience_seconds(topology: Topology, source: Node, destination: Node) -> float:
    """How long to wait for the answer to a single knock that may have none."""
    return TIMEOUT_SECONDS + 2 * round_trip_seconds(topology, source, destination)


def answer_seconds(topology: Topology, source: Node, destination: Node) -> float:
    """How long to wait for an answer that must come: a line with loss may lose packets of it."""
    return BEGUN_AGAIN_SECONDS + patience_seconds(topology, source, destination)


def transfer_seconds(topology: Topology, source: Node, destination: Node, size: int) -> float:
    """What bytes take at the rate of the slowest line on the way, in the direction they go; 0 without such a line."""
    rates = []
    site = source.site
    for link in facts.links_between(topology, source, destination):
        shape = link.a_to_b if link.a == site else link.b_to_a
        rates += [shape.rate_bps] if shape.rate_bps else []
        site = link.peer(site)
    return size * 8 / min(rates) if rates else 0.0


def replication_limit_seconds(topology: Topology, size: int, least: float) -> float:
    """How long to wait until bytes have come to every repository, one after another."""
    server = facts.server(topology)
    took = sum(transfer_seconds(topology, server, node, size) for node in facts.repositories(topology))
    return max(least, MARGIN * took + SLACK_SECONDS)
