"""Networks that overlap or are too small, and addresses that are not theirs to give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from epolab.topology.addresses import (
    TRANSIT_V4,
    TRANSIT_V6,
    capacity,
    network_names,
    node_networks,
    on_segment,
    plan_segments,
)
from epolab.topology.draft import Draft, DraftNode, DraftSite
from epolab.topology.report import Located, Report, did_you_mean
from epolab.yaml_file import Place

AnyNetwork = IPv4Network | IPv6Network
AnyAddress = Located[IPv4Address] | Located[IPv6Address]

RESERVED: tuple[tuple[AnyNetwork, str], ...] = (
    (IPv4Network("0.0.0.0/8"), "this network"),
    (IPv4Network("127.0.0.0/8"), "loopback"),
    (IPv4Network("169.254.0.0/16"), "link-local"),
    (IPv4Network("224.0.0.0/3"), "multicast and reserved"),
    (IPv6Network("::/8"), "unspecified and loopback"),
    (IPv6Network("fe80::/10"), "link-local"),
    (IPv6Network("ff00::/8"), "multicast"),
)
SMALLEST = {4: 29, 6: 120}


@dataclass(frozen=True)
class Declared:
    """One network as written."""

    path: str
    network: AnyNetwork
    place: Place


def check_networks(draft: Draft, report: Report) -> None:
    """All networks and fixed addresses."""
    found = list(declared_networks(draft))
    for index, one in enumerate(found):
        _check_alone(one, report)
        _check_overlap(one, found[:index], report)
    for site in draft.sites:
        for node in site.nodes:
            _check_node_networks(site, node, report)
    if not report.spoiled("topology", "sites", "*", "networks"):
        _check_addresses(draft, report)


def declared_networks(draft: Draft) -> Iterator[Declared]:
    """Every network of the file, in its order."""
    for site in draft.sites:
        for name, body in site.networks:
            written: tuple[Located[IPv4Network] | Located[IPv6Network] | None, ...] = (body.value.ipv4, body.value.ipv6)
            for network in written:
                if network is not None:
                    yield Declared(f"{site.name}/{name.value}", network.value, network.place)


def _overlaps(a: AnyNetwork, b: AnyNetwork) -> bool:
    return a.version == b.version and a.overlaps(b)


def _check_alone(one: Declared, report: Report) -> None:
    for reserved, use in RESERVED:
        if _overlaps(one.network, reserved):
            message = f"{one.network} lies in {reserved}, which is reserved ({use})"
            report.error(one.place, "network-reserved", message, "take a private or documentation network")
    if _overlaps(one.network, TRANSIT_V4) or _overlaps(one.network, TRANSIT_V6):
        message = f"{one.network} overlaps the range of the WAN links, {TRANSIT_V4} and {TRANSIT_V6}"
        report.error(one.place, "network-transit", message, "take another network")
    if _too_small(one.network):
        message = f"{one.network} is too small for a segment"
        report.error(one.place, "network-too-small", message, f"take /{SMALLEST[one.network.version]} or wider")


def _too_small(network: AnyNetwork) -> bool:
    return network.prefixlen > SMALLEST[network.version]


def _check_overlap(one: Declared, earlier: list[Declared], report: Report) -> None:
    other = next((e for e in earlier if _overlaps(one.network, e.network)), None)
    if other is not None:
        message = f"{one.network} of {one.path} overlaps {other.network} of {other.path} on line {other.place.line}"
        report.error(one.place, "network-overlap", message, "every segment needs networks of its own")


def _check_node_networks(site: DraftSite, node: DraftNode, report: Report) -> None:
    written = node.file.network.value if node.file.network else ()
    names = network_names(site)
    for word in written:
        if word.value not in names and not report.lost("topology", "sites", site.name, "networks", "*"):
            message = f'site "{site.name}" has no network "{word.value}"{did_you_mean(word.value, names)}'
            report.error(word.place, "unknown-network", message, f"networks: {', '.join(names)}")
    if written and "router" in node.components:
        message = f'the router "{node.path}" is on every network of its site'
        report.error(written[0].place, "router-network", message, "remove the key network")


def _check_addresses(draft: Draft, report: Report) -> None:
    segments = plan_segments(draft)
    for site in draft.sites:
        for segment in segments[site.name]:
            hosts = [node for node in on_segment(site, segment) if "router" not in node.components]
            if len(hosts) > capacity(segment) and not _too_small(segment.ipv4) and not _too_small(segment.ipv6):
                message = f"{segment.path} has {len(hosts)} nodes, but addresses for {capacity(segment)}"
                report.error(_network_place(site, segment.name), "network-full", message, "declare a wider network")
        primary = segments[site.name]
        for node in site.nodes:
            _check_fixed(site, node, {s.name: (s.ipv4, s.ipv6) for s in primary}, report)


def _network_place(site: DraftSite, name: str) -> Place:
    return next((key.place for key, _ in site.networks if key.value == name), site.place)


def _check_fixed(
    site: DraftSite, node: DraftNode, segments: dict[str, tuple[IPv4Network, IPv6Network]], report: Report
) -> None:
    name = node_networks(site, node)[0]
    ipv4, ipv6 = segments[name]
    pairs: tuple[tuple[AnyAddress | None, AnyNetwork], ...] = ((node.file.ipv4, ipv4), (node.file.ipv6, ipv6))
    for fixed, network in pairs:
        if fixed is None:
            continue
        if node.file.count is not None:
            message = "a count of nodes cannot share one address"
            report.error(fixed.place, "address-with-count", message, "remove the address or the count")
        elif fixed.value not in network:
            message = f"{fixed.value} lies outside {network} of {site.name}/{name}"
            report.error(fixed.place, "address-outside", message, "take an address of the node's first network")
        else:
            _check_taken(site, node, fixed, network, report)


def _check_taken(site: DraftSite, node: DraftNode, fixed: Located[object], network: AnyNetwork, report: Report) -> None:
    router = network.network_address + 1
    if fixed.value in (network.network_address, network.broadcast_address) and network.version == 4:
        report.error(fixed.place, "address-taken", f"{fixed.value} is not a host's address in {network}", "")
    elif fixed.value == router and "router" not in node.components:
        report.error(fixed.place, "address-taken", f"{fixed.value} is the router's address", f"take one after {router}")
    for other in site.nodes:
        if other is node:
            return
        if fixed.value in [a.value for a in (other.file.ipv4, other.file.ipv6) if a is not None]:
            report.error(
                fixed.place, "address-taken", f"{fixed.value} is given to {other.path} already", "take another"
            )
