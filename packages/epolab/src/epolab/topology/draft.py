"""The file's sites and nodes with counts and shorthand expanded, before any address or default is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from epolab.model.firewall import ANY
from epolab.topology.compounds import Entries
from epolab.topology.report import Located
from epolab.topology.v1 import FirewallFile, LabFile, LinkFile, ManagementFile, NetworkFile, NodeFile, SiteFile
from epolab.yaml_file import Place

_IMPLIED = {"relay": ("agent",), "superagent": ("agent",), "repository": ("agent", "superagent")}
IMPLICIT_ROUTER = "router"


@dataclass(frozen=True)
class DraftNode:
    """One node to be; `base` is the name in the file, which stands for all nodes of a `count`."""

    site: str
    name: str
    base: str
    place: Place
    file: NodeFile
    components: tuple[str, ...]

    @property
    def path(self) -> str:
        """The node's name in the lab."""
        return f"{self.site}/{self.name}"

    @property
    def component_places(self) -> dict[str, Place]:
        """Where each written component stands."""
        written = self.file.components.value if self.file.components else ()
        return {word.value: word.place for word in written}

    def place_of(self, component: str) -> Place:
        """Where a component, or what implies it, was written; else the node's own place."""
        places = self.component_places
        sources = [component, *(word for word, implied in _IMPLIED.items() if component in implied)]
        return next((places[word] for word in sources if word in places), self.place)


@dataclass(frozen=True)
class DraftSite:
    """One site to be; the router is among the nodes, implicit or not."""

    name: str
    place: Place
    file: SiteFile
    nodes: tuple[DraftNode, ...]

    @property
    def networks(self) -> Entries[Located[NetworkFile]]:
        """The networks as declared; none means one of the lab's choice."""
        return self.file.networks.value if self.file.networks else ()

    @property
    def nat(self) -> bool:
        """Whether the site is behind NAT."""
        return self.file.nat is not None and self.file.nat.value

    @property
    def firewall(self) -> FirewallFile:
        """The site's firewall as declared."""
        return self.file.firewall.value if self.file.firewall else FirewallFile()


@dataclass(frozen=True)
class Draft:
    """A whole lab to be."""

    file: LabFile
    sites: tuple[DraftSite, ...]

    @property
    def nodes(self) -> Iterator[DraftNode]:
        """All nodes, in file order."""
        return (node for site in self.sites for node in site.nodes)

    @cached_property
    def written_nodes(self) -> tuple[DraftNode, ...]:
        """One node for each that is written in the file: the first of a count."""
        return tuple({(node.site, node.base): node for node in reversed(list(self.nodes))}.values())[::-1]

    @property
    def links(self) -> tuple[Located[LinkFile], ...]:
        """The links as declared."""
        return self.file.wan.value if self.file.wan else ()

    @property
    def management(self) -> ManagementFile:
        """The management tree as declared."""
        return self.file.management.value if self.file.management else ManagementFile()

    @cached_property
    def site_names(self) -> tuple[str, ...]:
        """The names of all sites."""
        return tuple(site.name for site in self.sites)

    @cached_property
    def by_path(self) -> dict[str, DraftNode]:
        """The nodes by path; of two with one name the first."""
        found: dict[str, DraftNode] = {}
        for node in self.nodes:
            found.setdefault(node.path, node)
        return found

    @cached_property
    def by_reference(self) -> dict[str, tuple[DraftNode, ...]]:
        """What a `site/node` in the file stands for: a node, or all nodes of a count."""
        found: dict[str, tuple[DraftNode, ...]] = {}
        for node in self.nodes:
            base = f"{node.site}/{node.base}"
            found[base] = (*found.get(base, ()), node)
        return {**found, **{path: (node,) for path, node in self.by_path.items()}}

    def with_component(self, component: str) -> tuple[DraftNode, ...]:
        """The nodes that carry a component."""
        return tuple(node for node in self.nodes if component in node.components)

    def expand(self, reference: str, site: str | None = None) -> tuple[DraftNode, ...]:
        """The nodes a reference stands for; a bare name is looked up in `site`, or wherever it is unambiguous."""
        if "/" in reference:
            return self.by_reference.get(reference, ())
        if site is not None:
            return self.by_reference.get(f"{site}/{reference}", ())
        found = [nodes for path, nodes in self.by_reference.items() if path.partition("/")[2] == reference]
        return found[0] if len(found) == 1 else ()

    def ends(self, reference: str, site: str) -> tuple[str, ...]:
        """What an end of a firewall rule stands for: `any`, a site, or node paths; nothing if unknown."""
        if reference == ANY or reference in self.site_names:
            return (reference,)
        return tuple(node.path for node in self.expand(reference, site))


def draft(file: LabFile) -> Draft:
    """Expand counts and shorthand."""
    sites = file.sites.value if file.sites else ()
    return Draft(file, tuple(_site(name, site) for name, site in sites))


def _site(name: Located[str], site: Located[SiteFile]) -> DraftSite:
    entries = site.value.nodes.value if site.value.nodes else ()
    nodes = tuple(node for key, body in entries for node in _nodes(name.value, key, body.value))
    if not any("router" in node.components for node in nodes):
        router = DraftNode(name.value, IMPLICIT_ROUTER, IMPLICIT_ROUTER, name.place, NodeFile(), ("router", "dns"))
        nodes = (router, *nodes)
    return DraftSite(name.value, name.place, site.value, nodes)


def _nodes(site: str, key: Located[str], file: NodeFile) -> Iterator[DraftNode]:
    components = expand_components(file)
    names = [key.value]
    if file.count is not None:
        names = [f"{key.value}-{number}" for number in range(1, file.count.value + 1)]
    for name in names:
        yield DraftNode(site, name, key.value, key.place, file, components)


def expand_components(file: NodeFile) -> tuple[str, ...]:
    """The components of a node: what is written and what it implies, each once; a server has its handler built in."""
    written = [word.value for word in file.components.value] if file.components else []
    written += ["swarm"] if file.swarm is not None else []
    implied = [component for word in written for component in _IMPLIED.get(word, ())]
    unique = dict.fromkeys([*_agent_first(implied), *written])
    return tuple(c for c in unique if not (c == "handler" and "server" in unique))


def _agent_first(components: list[str]) -> list[str]:
    return sorted(components, key=lambda component: component != "agent")
