"""What a whole lab is, resolved: sites, links and the management tree."""

from dataclasses import dataclass

from epolab.model.link import Link
from epolab.model.management import Management
from epolab.model.node import Node
from epolab.model.segment import Segment
from epolab.model.site import Site


@dataclass(frozen=True, slots=True)
class Topology:
    """One lab as declared, with every default filled in; `file` is where it was read from."""

    name: str
    file: str
    sites: tuple[Site, ...]
    links: tuple[Link, ...]
    management: Management
    asci_seconds: float = 10.0
    description: str = ""

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, in file order, site by site."""
        return tuple(node for site in self.sites for node in site.nodes)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments, in file order, site by site."""
        return tuple(segment for site in self.sites for segment in site.segments)

    def node(self, path: str) -> Node:
        """The node at a path such as `tokyo/pc-1`; KeyError if there is none."""
        for node in self.nodes:
            if node.path == path:
                return node
        raise KeyError(path)

    def site(self, name: str) -> Site:
        """The site of a name; KeyError if there is none."""
        for site in self.sites:
            if site.name == name:
                return site
        raise KeyError(name)

    def link(self, name: str) -> Link:
        """The link of a name; KeyError if there is none."""
        for link in self.links:
            if link.name == name:
                return link
        raise KeyError(name)
