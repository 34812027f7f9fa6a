"""Everything that can be wrong with a topology beyond its structure, gathered without touching the host."""

from __future__ import annotations

from epolab.model.topology import Topology
from epolab.topology.checks.agent_ports import check_agent_ports
from epolab.topology.checks.components import check_components
from epolab.topology.checks.firewalls import check_firewalls
from epolab.topology.checks.links import check_links
from epolab.topology.checks.management import check_management
from epolab.topology.checks.names import check_names, check_stem
from epolab.topology.checks.networks import check_networks
from epolab.topology.checks.pace import check_pace
from epolab.topology.checks.reach import check_reach
from epolab.topology.checks.roles import check_roles
from epolab.topology.checks.worth import check_worth
from epolab.topology.draft import Draft
from epolab.topology.report import Report

UNDEFINED_AFTER = frozenset(
    {
        "duplicate-node",
        "duplicate-link",
        "network-full",
        "network-too-small",
        "no-server",
        "no-sql",
        "router-name-taken",
        "self-link",
        "site-unreachable",
        "two-routers",
        "unknown-network",
        "unknown-site",
        "wrong-length",
    }
)
"""Codes of problems after which addresses, paths or roles are not defined."""

FOUNDATIONS = (
    ("topology", "wan"),
    ("topology", "sites", "*", "firewall"),
    ("topology", "management", "groups"),
    ("topology", "management", "policies"),
    ("topology", "management", "assignments"),
    ("topology", "management", "handlers"),
    ("meaning",),
)
"""What must have been understood, all of it, to say who is what and reaches whom."""


def check_draft(draft: Draft, report: Report, stem: str) -> None:
    """What can be said of the file before anything is resolved."""
    check_stem(draft, report, stem)
    check_names(draft, report)
    check_networks(draft, report)
    check_components(draft, report)
    check_links(draft, report)
    check_firewalls(draft, report)
    check_management(draft, report)
    check_pace(draft, report)


def resolvable(report: Report) -> bool:
    """Whether the topology is defined: every site and node is known, and so are their components."""
    codes = {problem.code for problem in report.errors}
    nodes_lost = report.lost("topology", "sites", "*", "nodes", "*", "components")
    return not codes & UNDEFINED_AFTER and not nodes_lost and not report.lost("topology", "wan", "between")


def check_topology(draft: Draft, topology: Topology, report: Report) -> None:
    """What can be said only of the whole: who is what, who reaches whom, what pays."""
    if not any(report.spoiled(*part) for part in FOUNDATIONS):
        check_roles(draft, topology, report)
        check_agent_ports(draft, topology, report)
    if not any(report.spoiled(*part) for part in FOUNDATIONS):
        check_reach(draft, topology, report)
    check_worth(draft, topology, report)
