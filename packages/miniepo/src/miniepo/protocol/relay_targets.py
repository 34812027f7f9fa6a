"""Where a relay may connect to: host and port of the sites of its own list, each spelling of a target brought to one.

Whatever a client writes is compared as a canonical host and port, and what is dialled are addresses that the relay
itself found for the site when it read its list, never the client's words: another spelling (upper case, a trailing
dot, an IPv6 address written out or with an IPv4 address in it) gets to the same site or nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from miniepo.errors import RefusedError
from miniepo.protocol.sitelist import Site, SiteList, join_host_port

DEFAULT_TLS_PORT = 443
_TARGET = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]|(?P<host>[0-9A-Za-z._-]{1,254})):(?P<port>[0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host (a name or an address) and a TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return join_host_port(self.host, self.port)


Allowed = Mapping[Endpoint, tuple[str, ...]]
"""The canonical targets a relay forwards to, and the addresses that it dials for each, in their order."""


def read_target(text: str) -> Endpoint:
    """The canonical target of a request: `name:port`, `v4:port` or `[v6]:port`; raises RefusedError for anything else.

    A zone (`fe80::1%eth0`) means something on one machine only, so that no target has one.
    """
    found = _TARGET.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise RefusedError("bad-request", f"{text[:100]!r} is not host:port")
    host = canonical_host(found["v6"] or found["host"])
    if found["v6"] and (":" not in found["v6"] or not _is_address(host)):
        raise RefusedError("bad-request", f"{text[:100]!r} holds no IPv6 address")
    return Endpoint(host, int(found["port"]))


def canonical_host(host: str) -> str:
    """One spelling for each host: an address as `ipaddress` writes it (IPv4 out of its IPv6 form), a name in lower
    case without the dot at its end. Octal, hexadecimal and shortened IPv4 forms are no addresses, hence names."""
    try:
        address: IPv4Address | IPv6Address | None = ip_address(host)
    except ValueError:
        return host.lower().removesuffix(".")
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def allowed_targets(sitelist: SiteList, resolved: Mapping[str, tuple[str, ...]]) -> dict[Endpoint, tuple[str, ...]]:
    """Every target that the enabled sites of a list stand for: their literal entries, their names, and what those
    resolve to. A name that resolves to the relay itself or to its link leads nowhere."""
    allowed: dict[Endpoint, tuple[str, ...]] = {}
    for site in sitelist.sites:
        if site.enabled:
            for port in _ports(site):
                for host, addresses in _hosts(site, resolved).items():
                    endpoint = Endpoint(host, port)
                    allowed[endpoint] = tuple(dict.fromkeys((*allowed.get(endpoint, ()), *addresses)))
    return {endpoint: addresses for endpoint, addresses in allowed.items() if addresses}


def _ports(site: Site) -> set[int]:
    """A handler speaks TLS on its secure port, which is 443 where the list says none."""
    tls = site.secure_port or (DEFAULT_TLS_PORT if site.kind == "SpipeSite" else site.port)
    return {site.port, tls}


def _hosts(site: Site, resolved: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The canonical hosts of one site, each with its addresses."""
    literal = tuple(canonical_host(each) for each in (site.address, site.address_v6, site.host) if _is_address(each))
    looked_up = (canonical_host(each) for each in resolved.get(site.host, ()))
    found = tuple(each for each in looked_up if each in literal or _leads_out(each))
    addresses = tuple(dict.fromkeys((*found, *literal)))
    names = [canonical_host(name) for name in (site.host, site.netbios_name) if name and not _is_address(name)]
    return {address: (address,) for address in addresses} | dict.fromkeys(names, addresses)


def names_to_resolve(sitelist: SiteList) -> tuple[str, ...]:
    """The host names of the enabled sites."""
    return tuple(dict.fromkeys(_resolvable(site.host for site in sitelist.sites if site.enabled)))


def _resolvable(hosts: Iterable[str]) -> Iterable[str]:
    return (host for host in hosts if host and not _is_address(host))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _leads_out(text: str) -> bool:
    address = ip_address(text)
    inward = address.is_loopback or address.is_unspecified or address.is_link_local or address.is_multicast
    return not inward and not getattr(address, "scope_id", None)
