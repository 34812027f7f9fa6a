"""Which handlers an agent uses and what its site list says (domain §2, §4: handler assignment rules).

A rule holds for a System Tree group and those below it, for subnets, or for both at once; rules have priorities, and a
rule for everybody, the default rule, comes last whatever its priority. *Use all handlers* puts all of them into the
site list with the same `Order`: among equals the agent draws. A custom list names handlers and handler groups in order.
How a group's own handlers are tried is not in the sources [uncertain]: in their order here, or, with `spread`, drawn.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from miniepo.protocol.codec import version_of
from miniepo.protocol.messages import SiteListFile
from miniepo.protocol.sitelist import Site, SiteList, write
from miniepo.store.handlers import Handler, HandlerGroup, Rule
from miniepo.store.repositories import Repository

Tier = tuple[Handler, ...]
"""Handlers of equal rank: the agent draws among them."""


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


def choose_handlers(
    rules: Iterable[Rule], groups: Iterable[HandlerGroup], place: Place, handlers: Sequence[Handler]
) -> tuple[Tier, ...]:
    """The handlers of the first rule that applies, tier by tier as the agent tries them.

    A rule that names no registered handler is passed over, so that an agent is never left without any.
    """
    enabled = {handler.name: handler for handler in handlers if handler.enabled}
    known = {group.name: group for group in groups}
    for rule in sorted(rules, key=lambda rule: (_is_default(rule), rule.priority)):
        chosen = _tiers_of(rule, known, enabled) if _applies(rule, place) else ()
        if chosen:
            return chosen
    return (tuple(enabled.values()),) if enabled else ()


def _is_default(rule: Rule) -> bool:
    return rule.group_id is None and not rule.subnets


def _applies(rule: Rule, place: Place) -> bool:
    in_group = rule.group_id is None or rule.group_id in place.group_ids
    return in_group and (
        not rule.subnets or any(_within(a, subnet) for a in place.addresses for subnet in rule.subnets)
    )


def _within(address: str, subnet: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(subnet, strict=False)
    except ValueError:
        return False


def _tiers_of(rule: Rule, groups: Mapping[str, HandlerGroup], enabled: Mapping[str, Handler]) -> tuple[Tier, ...]:
    """Every handler once, where it is named first."""
    tiers = [tuple(enabled)] if rule.use_all else [t for name in rule.choices for t in _names(name, groups, enabled)]
    seen: set[str] = set()
    found: list[Tier] = []
    for names in tiers:
        fresh = [name for name in names if name in enabled and name not in seen]
        seen.update(fresh)
        found += [tuple(enabled[name] for name in fresh)] if fresh else []
    return tuple(found)


def _names(name: str, groups: Mapping[str, HandlerGroup], enabled: Mapping[str, Handler]) -> list[tuple[str, ...]]:
    """A name is that of a handler, else that of a group."""
    if name in enabled or name not in groups:
        return [(name,)]
    members = dict.fromkeys(groups[name].handlers)
    return [tuple(members)] if groups[name].spread else [(member,) for member in members]


def site_list(
    server_name: str, tiers: Sequence[Tier], repositories: Sequence[Repository], fallback: Fallback | None
) -> SiteListFile:
    """The agent's list: its handlers, equals with one `Order`, then the SuperAgents, then the fallback site."""
    ordered = [tuple(_spipe_site(handler) for handler in tier) for tier in tiers]
    ordered += [(superagent_site(repository),) for repository in repositories if repository.enabled]
    ordered += [(_fallback_site(fallback),)] if fallback else []
    numbered = tuple(replace(site, order=order) for order, equals in enumerate(ordered, start=1) for site in equals)
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


def superagent_site(repository: Repository) -> Site:
    """A SuperAgent's repository as a site."""
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
