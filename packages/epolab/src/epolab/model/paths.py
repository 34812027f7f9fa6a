"""Which way a packet takes between sites: the path with the fewest links, ties settled by the order of the file.

Every link weighs `2**n + 2**i`, so that no two paths weigh the same: the way there and the way back are one path,
and stateful site firewalls on the way see both directions.
"""

import heapq
from functools import lru_cache

from epolab.model.link import Link
from epolab.model.node import Node
from epolab.model.topology import Topology


@lru_cache(maxsize=1024)
def links_from(links: tuple[Link, ...], start: str) -> dict[str, tuple[Link, ...]]:
    """For each site that `start` can reach, the links on the way, in order."""
    found: dict[str, tuple[Link, ...]] = {}
    queue: list[tuple[int, str, tuple[Link, ...]]] = [(0, start, ())]
    while queue:
        weight, site, way = heapq.heappop(queue)
        if site in found:
            continue
        found[site] = way
        for index, link in enumerate(links):
            if link.joins(site) and link.peer(site) not in found:
                heapq.heappush(queue, (weight + 2 ** len(links) + 2**index, link.peer(site), (*way, link)))
    return found


def site_path(links: tuple[Link, ...], a: str, b: str) -> tuple[str, ...] | None:
    """The sites from `a` to `b`, both included; None if no chain of links joins them."""
    way = links_from(links, a).get(b)
    if way is None:
        return None
    path = [a]
    for link in way:
        path.append(link.peer(path[-1]))
    return tuple(path)


def links_between(topology: Topology, source: Node, destination: Node) -> tuple[Link, ...]:
    """The WAN links a packet crosses between two nodes; none within a site. KeyError if the sites are not joined."""
    return links_from(topology.links, source.site)[destination.site]


def shares_segment(a: Node, b: Node) -> bool:
    """Whether two nodes have an interface each on one segment."""
    return bool(segments_of(a) & segments_of(b))


def segments_of(node: Node) -> frozenset[str]:
    """The paths of the segments a node has an interface on."""
    return frozenset(i.segment for i in node.interfaces if i.segment is not None)


def router(topology: Topology, site: str) -> Node:
    """The router of a site."""
    return next(node for node in topology.site(site).nodes if node.has("router"))


def routers_between(topology: Topology, source: Node, destination: Node) -> tuple[Node, ...]:
    """The routers that forward a packet to a node's first address, in order; none if the source is on its segment.

    An end that is a router is not counted.
    """
    if destination.interfaces[0].segment in segments_of(source):
        return ()
    sites = site_path(topology.links, source.site, destination.site) or ()
    return tuple(r for r in (router(topology, site) for site in sites) if r.path not in (source.path, destination.path))
