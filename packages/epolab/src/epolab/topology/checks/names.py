"""Names that clash or do not fit."""

from __future__ import annotations

from collections.abc import Iterable

from epolab.topology.draft import IMPLICIT_ROUTER, Draft, DraftNode, DraftSite
from epolab.topology.report import Report
from epolab.topology.words import LAB_NAME, NAME_RULE
from epolab.yaml_file import Place

MAX_NODE_NAME = 15


def check_names(draft: Draft, report: Report) -> None:
    """All nodes and sites."""
    for site in draft.sites:
        _check_router_name(site, report)
        _check_duplicates(site, report)
        _check_lengths(site, report)
    _check_shared(draft, report)


def _check_router_name(site: DraftSite, report: Report) -> None:
    named = [n for n in site.nodes if n.name == IMPLICIT_ROUTER and n.place != site.place]
    if named and "router" not in named[0].components:
        message = f'"{site.name}" already has a router called "{IMPLICIT_ROUTER}"'
        hint = "rename this node, or give it the component router"
        report.error(named[0].place, "router-name-taken", message, hint)


def _check_duplicates(site: DraftSite, report: Report) -> None:
    seen: dict[str, DraftNode] = {}
    for node in site.nodes:
        first = seen.setdefault(node.name, node)
        if first is not node and IMPLICIT_ROUTER not in (node.name, first.name):
            message = f'the count of "{_counted(first, node).base}" makes a second node called "{node.path}"'
            report.error(node.place, "duplicate-node", message, "rename one of them")


def _counted(first: DraftNode, second: DraftNode) -> DraftNode:
    return first if first.file.count else second


def _check_lengths(site: DraftSite, report: Report) -> None:
    long = {node.base: node for node in site.nodes if node.base != node.name and len(node.name) > MAX_NODE_NAME}
    for base, node in long.items():
        message = f'the count of "{base}" makes the name "{node.name}", which has {len(node.name)} characters'
        report.error(node.place, "bad-name-length", message, NAME_RULE)


def _check_shared(draft: Draft, report: Report) -> None:
    """Agents of two sites may share a name; what a site list names may not: SuperAgents and handlers."""
    agents = _twins(draft.with_component("agent"))
    superagents = _twins(draft.with_component("superagent"))
    handlers = _twins([*draft.with_component("server"), *draft.with_component("handler")])
    refused = {(node.site, node.base) for _, node in (*superagents, *handlers)}
    for first, node in agents:
        if (node.site, node.base) in refused:
            continue
        message = f'agents of two sites are called "{node.name}": {first.path} and {node.path}'
        report.warning(node.place, "name-shared", message, "server commands by name reach both; give them own names")
    _report_superagents(superagents, report)
    for first, node in handlers:
        message = f'handlers of two sites are called "{node.name}": {first.path} and {node.path}'
        hint = f'agents would know both as "ePO_{node.name.upper()}"; give them own names'
        report.error(node.place, "handler-name-shared", message, hint)


def check_superagent_names(nodes: Iterable[DraftNode], report: Report) -> None:
    """The names of SuperAgents, whatever made them what they are."""
    _report_superagents(_twins(nodes), report)


def _report_superagents(twins: list[tuple[DraftNode, DraftNode]], report: Report) -> None:
    for first, node in twins:
        message = f'SuperAgents of two sites are called "{node.name}": {first.path} and {node.path}'
        hint = f'their repositories would both be "ePOSA_{node.name.upper()}"; give them own names'
        report.error(node.place, "superagent-name-shared", message, hint)


def _twins(nodes: Iterable[DraftNode]) -> list[tuple[DraftNode, DraftNode]]:
    """Nodes that are called like an earlier one of another site, with that one; of a count only the first."""
    seen: dict[str, DraftNode] = {}
    twins: dict[tuple[str, str], tuple[DraftNode, DraftNode]] = {}
    for node in nodes:
        first = seen.setdefault(node.name, node)
        if first.site != node.site:
            twins.setdefault((node.site, node.base), (first, node))
    return list(twins.values())


def check_stem(draft: Draft, report: Report, stem: str) -> None:
    """The lab's name where the file leaves it to its own name."""
    if draft.file.name is None and not report.lost("topology", "name") and not _valid(stem):
        message = f'the file gives no name, and its own name makes none: "{stem}"'
        report.error(Place(1, 1), "bad-lab-name", message, "add `name:` to the file")


def _valid(stem: str) -> bool:
    return LAB_NAME.matches(stem)
