"""Which networks and addresses a lab uses: those declared, and free ones where the file says nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from itertools import chain

from epolab.model.segment import Segment
from epolab.topology.draft import Draft, DraftNode, DraftSite

TRANSIT_V4 = IPv4Network("100.64.0.0/10")
TRANSIT_V6 = IPv6Network("fd00:64::/32")
DEFAULT_NETWORK = "lan"
ROUTER_HOST = 1

Pair = tuple[IPv4Interface, IPv6Interface]


@dataclass(frozen=True)
class Plan:
    """The segments of each site and the addresses of each node on each segment, by (node path, segment path)."""

    segments: dict[str, tuple[Segment, ...]]
    addresses: dict[tuple[str, str], Pair]


def network_names(site: DraftSite) -> tuple[str, ...]:
    """The names of a site's networks."""
    return tuple(name.value for name, _ in site.networks) or (DEFAULT_NETWORK,)


def node_networks(site: DraftSite, node: DraftNode) -> tuple[str, ...]:
    """The networks of its site that a node is on: a router on all, others on those named or on the first."""
    names = network_names(site)
    if "router" in node.components:
        return names
    wanted = tuple(word.value for word in node.file.network.value) if node.file.network else ()
    return tuple(dict.fromkeys(name for name in wanted if name in names)) or names[:1]


def declared(draft: Draft) -> tuple[list[IPv4Network], list[IPv6Network]]:
    """All networks that the file declares, by family."""
    bodies = [body.value for site in draft.sites for _, body in site.networks]
    return [b.ipv4.value for b in bodies if b.ipv4], [b.ipv6.value for b in bodies if b.ipv6]


def plan_addresses(draft: Draft) -> Plan:
    """Choose what the file leaves open; the same file gives the same plan."""
    segments = plan_segments(draft)
    addresses: dict[tuple[str, str], Pair] = {}
    for site in draft.sites:
        for segment in segments[site.name]:
            for node, pair in _hosts(site, segment):
                addresses[node.path, segment.path] = pair
    return Plan(segments, addresses)


def plan_segments(draft: Draft) -> dict[str, tuple[Segment, ...]]:
    """The segments of each site."""
    taken_v4, taken_v6 = declared(draft)
    taken_v4.append(TRANSIT_V4)
    taken_v6.append(TRANSIT_V6)
    return {
        site.name: tuple(_segments(site, number, taken_v4, taken_v6))
        for number, site in enumerate(draft.sites, start=1)
    }


def _segments(
    site: DraftSite, number: int, taken_v4: list[IPv4Network], taken_v6: list[IPv6Network]
) -> Iterator[Segment]:
    bodies = {name.value: body.value for name, body in site.networks}
    for index, name in enumerate(network_names(site)):
        body = bodies.get(name)
        ipv4 = body.ipv4.value if body and body.ipv4 else _free_v4(number, index, taken_v4)
        ipv6 = body.ipv6.value if body and body.ipv6 else _free_v6(number, index, taken_v6)
        yield Segment(site.name, name, ipv4, ipv6)


def _free_v4(number: int, index: int, taken: list[IPv4Network]) -> IPv4Network:
    wanted = ((number % 256, index % 256),)
    others = ((a, b) for a in range(128, 256) for b in range(256))
    candidates = (IPv4Network(f"10.{a}.{b}.0/24") for a, b in chain(wanted, others))
    found = next(net for net in candidates if not any(net.overlaps(other) for other in taken))
    taken.append(found)
    return found


def _free_v6(number: int, index: int, taken: list[IPv6Network]) -> IPv6Network:
    others = ((a, 0) for a in range(0x8000, 0x10000))
    candidates = (IPv6Network((_v6_base(a, b), 64)) for a, b in chain(((number, index),), others))
    found = next(net for net in candidates if not any(net.overlaps(other) for other in taken))
    taken.append(found)
    return found


def _v6_base(site: int, segment: int) -> int:
    return (0xFD00 << 112) | (site << 96) | (segment << 80)


def first_host(network: IPv4Network) -> int:
    """The host number of the first node of a network: .10, in very small networks .2."""
    return 10 if network.num_addresses >= 32 else 2


def capacity(segment: Segment) -> int:
    """How many nodes besides the router a segment has addresses for."""
    v4 = segment.ipv4.num_addresses - 1 - first_host(segment.ipv4)
    return max(0, min(v4, segment.ipv6.num_addresses - 2 - first_host(segment.ipv4)))


def on_segment(site: DraftSite, segment: Segment) -> Iterator[DraftNode]:
    """The nodes of a site that are on a segment, in file order."""
    return (node for node in site.nodes if segment.name in node_networks(site, node))


def _hosts(site: DraftSite, segment: Segment) -> Iterator[tuple[DraftNode, Pair]]:
    nodes = list(on_segment(site, segment))
    numbers = _free_numbers(site, segment, nodes)
    for node in nodes:
        fixed_v4, fixed_v6 = fixed(site, segment, node)
        wholly_fixed = fixed_v4 is not None and fixed_v6 is not None
        number = ROUTER_HOST if "router" in node.components or wholly_fixed else next(numbers)
        ipv4 = fixed_v4 if fixed_v4 is not None else int(segment.ipv4.network_address) + number
        ipv6 = fixed_v6 if fixed_v6 is not None else int(segment.ipv6.network_address) + v6_number(segment, number)
        yield node, interface_pair(segment, ipv4, ipv6)


def fixed(site: DraftSite, segment: Segment, node: DraftNode) -> tuple[int | None, int | None]:
    """The fixed addresses of a node on a segment; they are meant for its first network."""
    if node_networks(site, node)[0] != segment.name:
        return (None, None)
    v4, v6 = node.file.ipv4, node.file.ipv6
    return (int(v4.value) if v4 else None, int(v6.value) if v6 else None)


def _free_numbers(site: DraftSite, segment: Segment, nodes: Iterable[DraftNode]) -> Iterator[int]:
    base_v4, base_v6 = int(segment.ipv4.network_address), int(segment.ipv6.network_address)
    pairs = [fixed(site, segment, node) for node in nodes]
    taken_v4 = {v4 - base_v4 for v4, _ in pairs if v4 is not None}
    taken_v6 = {v6 - base_v6 for _, v6 in pairs if v6 is not None}
    numbers = range(first_host(segment.ipv4), segment.ipv4.num_addresses - 1)
    return (n for n in numbers if n not in taken_v4 and v6_number(segment, n) not in taken_v6)


def v6_number(segment: Segment, number: int) -> int:
    """The IPv6 host part that reads like the IPv4 one (.10 and ::10) where the network is wide enough."""
    return int(str(number), 16) if segment.ipv6.prefixlen <= 112 else number


def interface_pair(segment: Segment, ipv4: int, ipv6: int) -> Pair:
    """Both addresses with the prefix lengths of a segment."""
    return (IPv4Interface((ipv4, segment.ipv4.prefixlen)), IPv6Interface((ipv6, segment.ipv6.prefixlen)))


def transit(number: int, end: int) -> Pair:
    """The addresses of one end (1 or 2) of the link with a number, counted from 1."""
    ipv4 = int(TRANSIT_V4.network_address) + number * 256 + end
    ipv6 = int(TRANSIT_V6.network_address) + (number << 80) + end
    return (IPv4Interface((ipv4, 30)), IPv6Interface((ipv6, 126)))
