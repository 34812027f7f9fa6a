"""In which order an agent tries the repositories of its site list (domain §3.7): pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Interface, IPv6Interface, ip_address
from typing import Literal

from miniepo.protocol.sitelist import Site

Mode = Literal["subnet", "ping", "order"]
_FAR = 1 << 32


def order_by_subnet(
    sites: Sequence[Site], own: Iterable[IPv4Interface | IPv6Interface], unreachable: Iterable[str] = ()
) -> tuple[Site, ...]:
    """By subnet distance: SuperAgents of the agent's own segment, then the handlers in their order (those that did not
    answer last time behind the others), then the SuperAgents of other segments, nearest address first, then fallbacks.

    A SuperAgent serves its segment (domain §3.6: one per broadcast segment), so that a foreign one is no shortcut.
    """
    networks = tuple(own)
    silent = set(unreachable)

    def rank(site: Site) -> tuple[int, int, int]:
        if site.type == "fallback":
            return (4, 0, site.order)
        if site.kind == "SpipeSite":
            return (2 if site.name in silent else 1, 0, site.order)
        near = any(_same_segment(address, network) for address in _addresses(site) for network in networks)
        return (0 if near else 3, _distance(site, networks), site.order)

    return tuple(sorted(sites, key=rank))


def order_by_ping(sites: Sequence[Site], milliseconds: Mapping[str, float]) -> tuple[Site, ...]:
    """By measured round trip per site name; sites that did not answer keep their order at the end, before fallbacks."""

    def rank(site: Site) -> tuple[bool, float, int]:
        return (site.type == "fallback", milliseconds.get(site.name, float("inf")), site.order)

    return tuple(sorted(sites, key=rank))


def order_by_list(sites: Sequence[Site]) -> tuple[Site, ...]:
    """By the list's own order, fallbacks last."""
    return tuple(sorted(sites, key=lambda site: (site.type == "fallback", site.order)))


def _addresses(site: Site) -> tuple[str, ...]:
    return tuple(address for address in (site.address, site.address_v6) if address)


def _same_segment(address: str, network: IPv4Interface | IPv6Interface) -> bool:
    return ip_address(address) in network.network


def _distance(site: Site, networks: Sequence[IPv4Interface | IPv6Interface]) -> int:
    """The bits in which the IPv4 addresses differ, as a number: the smaller, the nearer, and no two are as near."""
    if not site.address:
        return _FAR
    there = int(ip_address(site.address))
    return min((there ^ int(each.ip) for each in networks if each.version == 4), default=_FAR)
