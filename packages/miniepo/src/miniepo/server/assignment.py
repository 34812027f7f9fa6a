"""Which handlers an agent uses and what its site list says (domain §2, §4: handler assignment rules)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from miniepo.protocol.codec import version_of
from miniepo.protocol.messages import SiteListFile
from miniepo.protocol.sitelist import Site, SiteList, write
from miniepo.store.handlers import Handler, Rule
from miniepo.store.repositories import Repository


@dataclass(frozen=True, slots=True)
class Place:
    """Where an agent stands: its group and those above it, and its addresses."""

    group_ids: frozenset[int]
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fallback:
    """The site that agents use when no managed repository answers (domain §3.1)."""

    host: str
    port: int
    relative_path: str


def choose_handlers(rules: Iterable[Rule], place: Place, handlers: Sequence[Handler]) -> tuple[Handler, ...]:
    """The handlers of the first rule that applies, in the order in which the agent tries them.

    A rule that names no registered handler is passed over, so that an agent is never left without any.
    """
    for rule in sorted(rules, key=lambda rule: rule.priority):
        chosen = _handlers_of(rule, handlers) if _applies(rule, place) else ()
        if chosen:
            return chosen
    return tuple(handler for handler in handlers if handler.enabled)


def _applies(rule: Rule, place: Place) -> bool:
    in_group = rule.group_id is None or rule.group_id in place.group_ids
    return in_group and (rule.subnet is None or any(_within(address, rule.subnet) for address in place.addresses))


def _within(address: str, subnet: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(subnet, strict=False)
    except ValueError:
        return False


def _handlers_of(rule: Rule, handlers: Sequence[Handler]) -> tuple[Handler, ...]:
    enabled = {handler.name: handler for handler in handlers if handler.enabled}
    if rule.use_all:
        return tuple(enabled.values())
    return tuple(enabled[name] for name in rule.handlers if name in enabled)


def site_list(
    server_name: str, handlers: Sequence[Handler], repositories: Sequence[Repository], fallback: Fallback | None
) -> SiteListFile:
    """The agent's list: its handlers, then the SuperAgents, then the fallback site."""
    sites = [_spipe_site(handler) for handler in handlers]
    sites += [_superagent_site(repository) for repository in repositories if repository.enabled]
    sites += [_fallback_site(fallback)] if fallback else []
    numbered = tuple(replace(site, order=order) for order, site in enumerate(sites, start=1))
    version = version_of(write(SiteList(server_name, "", numbered)))
    return SiteListFile(version=version, xml=write(SiteList(server_name, version, numbered)))


def _spipe_site(handler: Handler) -> Site:
    return Site(
        kind="SpipeSite",
        name=f"ePO_{handler.computer_name.upper()}",
        type="master",
        order=0,
        host=handler.fqdn,
        port=handler.http_port,
        address=handler.address,
        address_v6=handler.address_v6,
        netbios_name=handler.computer_name,
        secure_port=handler.https_port,
        version=handler.version,
    )


def _superagent_site(repository: Repository) -> Site:
    return Site(
        kind="SuperAgentSite",
        name=repository.name,
        type="repository",
        order=0,
        host=repository.fqdn or repository.address,
        port=repository.port,
        address=repository.address,
        address_v6=repository.address_v6,
        netbios_name=repository.computer_name,
    )


def _fallback_site(fallback: Fallback) -> Site:
    return Site("HttpSite", "McAfeeHttp", "fallback", 0, fallback.host, fallback.port,
                relative_path=fallback.relative_path)  # fmt: skip
