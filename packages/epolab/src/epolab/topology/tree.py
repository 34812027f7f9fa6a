"""The System Tree: one group per site, subgroups for its SuperAgents and relays, and the declared groups."""

from __future__ import annotations

from collections.abc import Iterator

from epolab.model.management import Group
from epolab.topology.draft import Draft, DraftNode, DraftSite

SUPERAGENTS = "1_SuperAgents"
RELAYS = "2_Relays"


def tree_path(written: str) -> str:
    """A group's path with `/` between levels, `My Organization` in front taken off."""
    parts = written.replace("\\", "/").strip("/").split("/")
    return "/".join(parts[1:] if parts[0] == "My Organization" else parts)


def default_group(node: DraftNode) -> str:
    """Where an agent is unless a declared group holds it."""
    if "swarm" in node.components and "agent" not in node.components:
        return f"{node.site}/{node.name}"
    if "superagent" in node.components:
        return f"{node.site}/{SUPERAGENTS}"
    return f"{node.site}/{RELAYS}" if "relay" in node.components else node.site


def plan_groups(draft: Draft) -> tuple[Group, ...]:
    """All groups, parents before children; every agent is in exactly one."""
    declared = _declared(draft)
    placed = {path: group for group, systems in declared.items() for path in systems}
    members: dict[str, list[str]] = {}
    for name in [name for site in draft.sites for name in _site_groups(site)] + list(declared):
        for path in _lineage(name):
            members.setdefault(path, [])
    for node in draft.with_component("agent"):
        members[placed.get(node.path, default_group(node))].append(node.path)
    return tuple(Group(path, tuple(systems)) for path, systems in members.items())


def _lineage(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def _site_groups(site: DraftSite) -> Iterator[str]:
    """The site's own group, also of a site without agents yet, and those of the roles that are there."""
    yield site.name
    agents = [node for node in site.nodes if "agent" in node.components]
    yield from (f"{site.name}/{node.name}" for node in site.nodes if "swarm" in node.components)
    for group in (f"{site.name}/{SUPERAGENTS}", f"{site.name}/{RELAYS}"):
        if any(default_group(node) == group for node in agents):
            yield group


def _declared(draft: Draft) -> dict[str, list[str]]:
    groups = draft.management.groups.value if draft.management.groups else ()
    found: dict[str, list[str]] = {}
    for name, body in groups:
        written = body.value.systems.value if body.value.systems else ()
        paths = [node.path for word in written for node in draft.expand(word.value)]
        found.setdefault(tree_path(name.value), []).extend(paths)
    return found
