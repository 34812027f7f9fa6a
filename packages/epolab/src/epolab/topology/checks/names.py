"""Names that clash or do not fit."""

from __future__ import annotations

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
    seen: dict[str, DraftNode] = {}
    told: set[tuple[str, str]] = set()
    for node in draft.with_component("agent"):
        first = seen.setdefault(node.name, node)
        if first.site != node.site and (node.site, node.base) not in told:
            told.add((node.site, node.base))
            message = f'agents of two sites are called "{node.name}": {first.path} and {node.path}'
            report.warning(
                node.place, "name-shared", message, "server commands by name reach both; give them own names"
            )


def check_stem(draft: Draft, report: Report, stem: str) -> None:
    """The lab's name where the file leaves it to its own name."""
    if draft.file.name is None and not report.lost("topology", "name") and not _valid(stem):
        message = f'the file gives no name, and its own name makes none: "{stem}"'
        report.error(Place(1, 1), "bad-lab-name", message, "add `name:` to the file")


def _valid(stem: str) -> bool:
    return LAB_NAME.matches(stem)
