"""Which interfaces each node has, and which static routes, from the plan of addresses and the links."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from ipaddress import IPv4Interface, IPv6Interface

from epolab.model.link import Link
from epolab.model.node import Interface, Route
from epolab.model.paths import links_from
from epolab.model.segment import Segment
from epolab.topology.addresses import Plan, node_networks, transit
from epolab.topology.draft import DraftNode, DraftSite

MAX_INTERFACE_NAME = 15
DEFAULTS = ("0.0.0.0/0", "::/0")


def interface_name(peer: str) -> str:
    """The name of a router's interface to a peer site, at most 15 characters."""
    name = f"wan-{peer}"
    if len(name) <= MAX_INTERFACE_NAME:
        return name
    return f"{name[:10]}-{sha256(peer.encode()).hexdigest()[:4]}"


def mac(ipv4: IPv4Interface, ipv6: IPv6Interface) -> str:
    """A locally administered address that depends on the IP addresses alone.

    A node that takes the addresses of one that left is so reached at once: its neighbours need not learn anything.
    """
    digest = sha256(f"{ipv4.ip}/{ipv6.ip}".encode()).digest()[:5]
    return ":".join(["02", *(f"{byte:02x}" for byte in digest)])


def interfaces(site: DraftSite, node: DraftNode, plan: Plan, links: tuple[Link, ...]) -> tuple[Interface, ...]:
    """The interfaces of a node: `eth0` and up on segments, then on a router `wan-<peer>` per link."""
    return (*_on_segments(site, node, plan), *(_on_links(site, node, links) if "router" in node.components else ()))


def _on_segments(site: DraftSite, node: DraftNode, plan: Plan) -> Iterator[Interface]:
    by_name = {segment.name: segment for segment in plan.segments[site.name]}
    for index, name in enumerate(node_networks(site, node)):
        segment = by_name[name].path
        ipv4, ipv6 = plan.addresses[node.path, segment]
        yield Interface(f"eth{index}", segment, None, mac(ipv4, ipv6), ipv4, ipv6)


def _on_links(site: DraftSite, node: DraftNode, links: tuple[Link, ...]) -> Iterator[Interface]:
    for number, link in enumerate(links, start=1):
        if link.joins(site.name):
            name = interface_name(link.peer(site.name))
            ipv4, ipv6 = transit(number, 1 if link.a == site.name else 2)
            yield Interface(name, None, link.name, mac(ipv4, ipv6), ipv4, ipv6)


def routes(site: DraftSite, node: DraftNode, plan: Plan, links: tuple[Link, ...]) -> tuple[Route, ...]:
    """The static routes of a node: a router's to every other site, a host's default by its router."""
    if "router" in node.components:
        return tuple(_router_routes(site.name, plan, links))
    return tuple(_default_routes(site, node, plan))


def _default_routes(site: DraftSite, node: DraftNode, plan: Plan) -> Iterator[Route]:
    router = next(other for other in site.nodes if "router" in other.components)
    segment = f"{site.name}/{node_networks(site, node)[0]}"
    ipv4, ipv6 = plan.addresses[router.path, segment]
    yield from _both(DEFAULTS, (str(ipv4.ip), str(ipv6.ip)))


def _router_routes(site: str, plan: Plan, links: tuple[Link, ...]) -> Iterator[Route]:
    ways = links_from(links, site)
    for other, way in ways.items():
        if way:
            via = _next_hop(site, way[0], links)
            for segment in plan.segments[other]:
                yield from _both(_networks(segment), via)
    for number, link in enumerate(links, start=1):
        nearer = min((ways[end] for end in link.ends if end in ways), key=len, default=())
        if nearer and not link.joins(site):
            ipv4, ipv6 = transit(number, 1)
            yield from _both((str(ipv4.network), str(ipv6.network)), _next_hop(site, nearer[0], links))


def _networks(segment: Segment) -> tuple[str, str]:
    return (str(segment.ipv4), str(segment.ipv6))


def _next_hop(site: str, link: Link, links: tuple[Link, ...]) -> tuple[str, str]:
    ipv4, ipv6 = transit(links.index(link) + 1, 2 if link.a == site else 1)
    return (str(ipv4.ip), str(ipv6.ip))


def _both(destinations: tuple[str, str], via: tuple[str, str]) -> Iterator[Route]:
    for destination, hop in zip(destinations, via, strict=True):
        yield Route(destination, hop)
