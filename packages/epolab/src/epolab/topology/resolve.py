"""From the file to the model: every default, address, route, policy and rule filled in; pure and deterministic."""

from __future__ import annotations

from epolab.model.firewall import ANY, Action, FirewallRule, SiteFirewall
from epolab.model.link import Link
from epolab.model.node import Kind, Node
from epolab.model.site import Site
from epolab.model.topology import Topology
from epolab.topology.addresses import Plan, plan_addresses
from epolab.topology.draft import Draft, DraftNode, DraftSite
from epolab.topology.in_force import default_memory_mib, with_policies_in_force
from epolab.topology.manage import lab_asci, plan_management, seconds
from epolab.topology.shaping import resolve_link
from epolab.topology.v1 import Names, RuleFile
from epolab.topology.wiring import interfaces, routes

DEFAULT_VERSION = "4.8.0"
DEFAULT_PLATFORM = "Linux"


def resolve(draft: Draft, file: str, stem: str) -> Topology:
    """The topology; the draft must be free of problems that leave something undefined."""
    plan = plan_addresses(draft)
    links = tuple(resolve_link(link.value) for link in draft.links)
    topology = Topology(
        name=draft.file.name.value if draft.file.name else stem,
        file=file,
        sites=tuple(_site(draft, site, plan, links) for site in draft.sites),
        links=links,
        management=plan_management(draft),
        asci_seconds=lab_asci(draft),
        description=draft.file.description.value if draft.file.description else "",
    )
    return with_policies_in_force(draft, topology)


def _site(draft: Draft, site: DraftSite, plan: Plan, links: tuple[Link, ...]) -> Site:
    return Site(
        name=site.name,
        segments=plan.segments[site.name],
        nodes=tuple(_node(draft, site, node, plan, links) for node in site.nodes),
        firewall=_firewall(draft, site),
        nat=site.nat,
    )


def _node(draft: Draft, site: DraftSite, node: DraftNode, plan: Plan, links: tuple[Link, ...]) -> Node:
    file = node.file
    kind: Kind = "vm" if file.kind and file.kind.value == "vm" else "container"
    swarm = file.swarm.value if file.swarm else 0
    return Node(
        site=site.name,
        name=node.name,
        kind=kind,
        components=node.components,
        interfaces=interfaces(site, node, plan, links),
        routes=routes(site, node, plan, links),
        asci_seconds=seconds(file.asci.value if file.asci else None, lab_asci(draft)),
        version=file.version.value if file.version else DEFAULT_VERSION,
        memory_mib=int(file.memory.value) if file.memory else default_memory_mib(kind, node.components, swarm),
        image=file.image.value if file.image else None,
        swarm=swarm,
        platform=file.platform.value if file.platform else DEFAULT_PLATFORM,
    )


def _firewall(draft: Draft, site: DraftSite) -> SiteFirewall:
    written = site.firewall
    rules = written.rules.value if written.rules else ()
    resolved = [_rule(draft, site, rule.value) for rule in rules]
    default: Action = "deny" if written.default and written.default.value == "deny" else "allow"
    return SiteFirewall(default, tuple(rule for rule in resolved if rule is not None))


def _rule(draft: Draft, site: DraftSite, rule: RuleFile) -> FirewallRule | None:
    """One rule; None if one of its ends is nothing that exists, which is a problem of its own."""
    body = rule.allow or rule.deny
    if body is None:
        return None
    sources, destinations = _ends(draft, site, body.value.sources), _ends(draft, site, body.value.destinations)
    ports = tuple(dict.fromkeys(port.value for port in body.value.ports.value)) if body.value.ports else ()
    protocol = body.value.protocol.value if body.value.protocol else ("tcp" if ports else None)
    if not sources or not destinations:
        return None
    return FirewallRule("allow" if rule.allow else "deny", sources, destinations, protocol, ports)


def _ends(draft: Draft, site: DraftSite, names: Names | None) -> tuple[str, ...]:
    if names is None:
        return (ANY,)
    return tuple(dict.fromkeys(end for name in names.value for end in draft.ends(name.value, site.name)))
