"""Whose site list a relay's does not cover: a relay connects only to sites of its own list (pure).

A relay's SiteList.xml should be a superset of the lists of the agents that use it (domain §5, source S1); what is
missing there these agents cannot reach through it. Its clients are the agents whose last call came through it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from miniepo.protocol.sitelist import Site, SiteList, join_host_port
from miniepo.store.systems import System

ListOf = Callable[[System], SiteList]


@dataclass(frozen=True, slots=True)
class RelayWarning:
    """A relay (full name), one of its clients, and the sites of the client's list that the relay's lacks."""

    relay: str
    client: str
    missing: tuple[str, ...]

    @property
    def text(self) -> str:
        """For log lines."""
        sites = ", ".join(self.missing)
        return f"the site list of relay {self.relay} lacks {sites}, which {self.client} behind it has in its own"


def relay_warnings(systems: Sequence[System], list_of: ListOf) -> list[RelayWarning]:
    """A warning for each client of a relay whose list is not within the relay's, by the lists as they are assigned."""
    relays = [system for system in systems if system.properties.get("Relay.Enabled") == "1"]
    sites = {relay.id: frozenset(map(_key, _sites(list_of(relay)))) for relay in relays}
    found = []
    for client in systems:
        for relay in _relays_of(client, relays):
            missing = tuple(site.name for site in _sites(list_of(client)) if _key(site) not in sites[relay.id])
            if missing:
                found.append(RelayWarning(_name(relay), _name(client), missing))
    return found


def _relays_of(client: System, relays: Iterable[System]) -> list[System]:
    """The relays that a client's last call may have come through: of several of one name, the one at the address that
    the call came from."""
    if not client.via_relay:
        return []
    named = [relay for relay in relays if relay.computer_name.lower() == client.via_relay.lower()]
    there = [relay for relay in named if client.remote_address in (relay.address, relay.ipv6)]
    return there or named


def _sites(listed: SiteList) -> list[Site]:
    return [site for site in listed.sites if site.enabled]


def _key(site: Site) -> str:
    return join_host_port(site.host.lower(), site.port)


def _name(system: System) -> str:
    return system.fqdn or system.name
