"""What one site of a lab is: its segments, its nodes and its firewall."""

from dataclasses import dataclass

from epolab.model.firewall import SiteFirewall
from epolab.model.node import Node
from epolab.model.segment import Segment


@dataclass(frozen=True, slots=True)
class Site:
    """One place of the estate; exactly one of its nodes is the router."""

    name: str
    segments: tuple[Segment, ...]
    nodes: tuple[Node, ...]
    firewall: SiteFirewall
    nat: bool
