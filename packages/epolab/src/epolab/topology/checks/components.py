"""Components that are missing, too many, or do not go together."""

from __future__ import annotations

from epolab.model import ports
from epolab.topology.draft import Draft, DraftNode
from epolab.topology.report import Report
from epolab.yaml_file import Place

LISTENS: dict[str, frozenset[int]] = {
    "server": frozenset({ports.HTTP, ports.HTTPS, ports.CONSOLE}),
    "handler": frozenset({ports.HTTP, ports.HTTPS}),
    "updates": frozenset({ports.HTTP}),
    "sql": frozenset({ports.SQL}),
    "dns": frozenset({ports.DNS}),
    "router": frozenset({ports.WAN_STREAM}),
}
"""TCP ports of components; on routers the lines are measured."""

RELAY_SINCE = (4, 8)
AGENT_KEYS = ("asci", "version")


def check_components(draft: Draft, report: Report) -> None:
    """All components, of the lab and of each node."""
    if not report.lost("topology", "sites", "*", "nodes", "*", "components"):
        _check_cast(draft, report)
    for node in draft.written_nodes:
        _check_ports(node, report)
        if "relay" in node.components:
            check_relay_version(node, report)
        _check_vm(node, report)
        _check_agent_keys(node, report)
    for site in draft.sites:
        _check_routers([node for node in site.nodes if "router" in node.components], report)


def _check_cast(draft: Draft, report: Report) -> None:
    top = draft.file.sites.place if draft.file.sites else Place(1, 1)
    for component, noun in (("server", "server"), ("sql", "database")):
        nodes = draft.with_component(component)
        if not nodes:
            message = f"no node carries the {noun}"
            report.error(top, f"no-{component}", message, f"give one node the component {component}")
        for node in nodes[1:]:
            message = f"a second {noun}: {node.path} beside {nodes[0].path}"
            report.error(node.place_of(component), f"two-{component}s", message, f"a lab has one {noun}")
    if draft.with_component("server") and not draft.with_component("updates"):
        place = draft.with_component("server")[0].place_of("server")
        message = "no node is the vendor's update server, so nothing can be pulled"
        report.warning(place, "no-updates", message, "give a node the component updates, if content is to be updated")


def _check_ports(node: DraftNode, report: Report) -> None:
    written = [word.value for word in node.file.components.value] if node.file.components else []
    if "handler" in written and "server" in written:
        message = f"{node.path}: a server has its handler built in"
        report.warning(node.component_places["handler"], "handler-built-in", message, "remove the component handler")
    holders: dict[int, str] = {}
    for component in node.components:
        for port in LISTENS.get(component, ()):
            other = holders.setdefault(port, component)
            if other != component and port == min(LISTENS[component] & LISTENS[other]):
                message = f"{node.path}: {other} and {component} both listen on port {port}"
                report.error(node.place_of(component), "port-conflict", message, "put them on nodes of their own")


def check_relay_version(node: DraftNode, report: Report) -> None:
    """A relay, by component or by policy, is an agent of a version that can be one."""
    version = node.file.version
    if version is None:
        return
    numbers = tuple(int(part) for part in version.value.split("."))[:2]
    if numbers < RELAY_SINCE:
        message = f"an agent of version {version.value} cannot be a relay"
        report.error(version.place, "relay-version", message, "a relay needs version 4.8 or later")


def _check_vm(node: DraftNode, report: Report) -> None:
    if node.file.kind is None or node.file.kind.value != "vm":
        return
    if "router" in node.components:
        message = f"{node.path}: a router in a virtual machine is not supported yet"
        report.error(node.file.kind.place, "not-supported", message, "make the router a container")
    if node.file.image is not None:
        message = f"{node.path}: a virtual machine has the lab's own image, the only one with a kernel"
        report.error(node.file.image.place, "image-with-vm", message, "remove image, or make the node a container")


def _check_agent_keys(node: DraftNode, report: Report) -> None:
    if "agent" in node.components or report.lost("topology", "sites", node.site, "nodes", node.base, "components"):
        return
    for name in AGENT_KEYS:
        written = getattr(node.file, name)
        if written is not None:
            message = f'"{name}" is about an agent, and {node.path} has none'
            report.warning(written.place, "agent-key", message, f"remove {name}, or add the component agent")


def _check_routers(routers: list[DraftNode], report: Report) -> None:
    for node in routers[1:]:
        message = f"{node.path} is a second router beside {routers[0].path}; that is not supported yet"
        report.error(node.place_of("router"), "two-routers", message, "a site has one router")
