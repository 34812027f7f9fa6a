"""SiteList.xml as two published tools read it, and what it should say to an agent of a topology (pure).

One tool (domain 2.2, FXWarChest) walks the document's nodes and asks every child of `SiteList` for its attributes: text
between two sites breaks it. The other (PowerSploit) goes by names, and reads for each site whether it is enabled, its
server, its path and its credentials. Both are followed here, in this project's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from xml.dom import minidom
from xml.etree import ElementTree
from xml.parsers.expat import ExpatError

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import HTTP, HTTPS
from epolab.model.topology import Topology

NAMESPACE = "naSiteList"
ATTRIBUTES = ("Server", "Type", "Name", "ServerIP", "SecurePort", "Enabled")
SOFTWARE = "Software"
FALLBACK = ("HttpSite", "update.nai.com:80", "Products/CommonUpdater", "fallback", "McAfeeHttp")


@dataclass(frozen=True, slots=True, order=True)
class ListedSite:
    """One site of a list, as far as every tool reads it; what is not there is empty."""

    kind: str
    server: str
    path: str
    type: str = ""
    name: str = ""
    server_ip: str = ""
    secure_port: str = ""
    enabled: str = "1"

    @property
    def text(self) -> str:
        """The site for people."""
        return f"{self.kind} {self.name} {self.server} ({self.server_ip or 'no address'}) /{self.path}"


class NotPublishedStructureError(ValueError):
    """The text is not a SiteList.xml of the published structure."""


def read_by_nodes(text: str) -> tuple[ListedSite, ...]:
    """The first tool's way: node by node, with the prefix as it is written."""
    try:
        root = minidom.parseString(text).documentElement
    except ExpatError as error:
        raise NotPublishedStructureError(f"it is not XML: {error}") from error
    assert root is not None, "what is XML has a root"
    if root.tagName != "ns:SiteLists" or root.namespaceURI != NAMESPACE or root.getAttribute("Type") != "Client":
        raise NotPublishedStructureError(f'its root is not ns:SiteLists of namespace {NAMESPACE} with Type="Client"')
    lists = [child for child in root.childNodes if isinstance(child, minidom.Element)]
    if [each.tagName for each in lists] != ["SiteList"] or lists[0].getAttribute("Default") != "1":
        raise NotPublishedStructureError('it has not one child SiteList with Default="1"')
    return tuple(_read_node(child) for child in lists[0].childNodes)


def _read_node(child: minidom.Node) -> ListedSite:
    if not isinstance(child, minidom.Element):
        raise NotPublishedStructureError("text stands between its sites, on which a published tool breaks")
    paths = child.getElementsByTagName("RelativePath")
    path = paths[0].firstChild.data if paths and isinstance(paths[0].firstChild, minidom.Text) else ""
    return _listed(child.tagName, {name: child.getAttribute(name) for name in ATTRIBUTES}, path)


def read_by_names(text: str) -> tuple[ListedSite, ...]:
    """The second tool's way: element by element, whatever the prefix, the path of a share under its own name."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise NotPublishedStructureError(f"it is not XML: {error}") from error
    found = []
    for site in root.iterfind("SiteList/*"):
        path = site.findtext("RelativePath") or site.findtext("ShareName") or ""
        encrypted = [each.get("Encrypted") for each in site.iterfind("Password")]
        if any(flag not in ("0", "1") for flag in encrypted):
            raise NotPublishedStructureError(f"the Password of {site.get('Name')} does not say whether it is encrypted")
        found.append(_listed(site.tag, dict(site.attrib), path))
    return tuple(found)


def _listed(kind: str, given: Mapping[str, str], path: str) -> ListedSite:
    server, *others = (given.get(name, "") for name in ATTRIBUTES)
    return ListedSite(kind, server, path, *others)


def due_sites(topology: Topology, node: Node) -> tuple[ListedSite, ...]:
    """The sites that the server gives an agent: its handlers, every SuperAgent's repository, the fallback site."""
    handlers = [_handler(handler) for handler in facts.handler_order(topology, node)]
    held = {repository.path: repository for repository in facts.repositories(topology)}
    repositories = [
        _repository(topology, held[each.node], each.name)
        for each in topology.management.repositories
        if each.node in held
    ]
    fallback = [ListedSite(*FALLBACK)] if facts.updates(topology) else []
    return (*handlers, *repositories, *fallback)


def _handler(node: Node) -> ListedSite:
    server, address = f"{node.fqdn}:{HTTP}", f"{node.ipv4}:{HTTP}"
    return ListedSite("SpipeSite", server, SOFTWARE, "master", f"ePO_{node.name.upper()}", address, str(HTTPS))


def _repository(topology: Topology, node: Node, name: str) -> ListedSite:
    port = facts.wakeup_port(topology, node)
    server, address = f"{node.fqdn}:{port}", f"{node.ipv4}:{port}"
    return ListedSite("SuperAgentSite", server, SOFTWARE, "repository", name, address)


def troubles(node: Node, text: str, due: tuple[ListedSite, ...]) -> list[tuple[str, str]]:
    """What is wrong with an agent's list, as (expected, observed); its order is for the promise `handlers`."""
    try:
        by_nodes, by_names = read_by_nodes(text), read_by_names(text)
    except NotPublishedStructureError as error:
        return [(f"{node.path}: SiteList.xml has the published structure", f"{node.path}: {error}")]
    if by_nodes != by_names:
        wanted = f"{node.path}: two published ways of reading SiteList.xml see the same"
        return [(wanted, f"{_texts(by_nodes)} and {_texts(by_names)}")]
    missing, surplus = set(due) - set(by_nodes), set(by_nodes) - set(due)
    if not missing and not surplus and len(by_nodes) == len(due):
        return []
    wanted = f"{node.path}: SiteList.xml names {_texts(due)}"
    said = [f"not {_texts(tuple(sorted(missing)))}"] if missing else []
    said += [f"also {_texts(tuple(sorted(surplus)))}"] if surplus else []
    return [(wanted, f"{node.path}: {'; '.join(said) or f'it names {len(by_nodes)} sites'}")]


def _texts(sites: tuple[ListedSite, ...]) -> str:
    return ", ".join(site.text for site in sites) or "nothing"
