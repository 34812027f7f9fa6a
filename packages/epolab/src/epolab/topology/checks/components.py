"""Components that are missing, too many, or do not go together."""

from __future__ import annotations

from epolab.model import ports
from epolab.model.node import NO_RELAY_ON, can_relay
from epolab.topology.checks.names import MAX_NODE_NAME
from epolab.topology.draft import Draft, DraftNode
from epolab.topology.report import Located, Report
from epolab.yaml_file import Place

LISTENS: dict[str, frozenset[int]] = {
    "server": frozenset({ports.HTTP, ports.HTTPS, ports.CONSOLE, ports.CLIENT_AUTHENTICATED}),
    "handler": frozenset({ports.HTTP, ports.HTTPS}),
    "updates": frozenset({ports.HTTP}),
    "sql": frozenset({ports.SQL}),
    "dns": frozenset({ports.DNS}),
    "router": frozenset({ports.WAN_STREAM}),
    "pushable": frozenset({ports.SSH}),
}
"""TCP ports of components; on routers the lines are measured."""

AGENT_KEYS = ("asci", "version", "platform")
NOT_WITH_SWARM = ("relay", "superagent", "repository")


def check_components(draft: Draft, report: Report) -> None:
    """All components, of the lab and of each node."""
    if not report.lost("topology", "sites", "*", "nodes", "*", "components"):
        _check_cast(draft, report)
    for node in draft.written_nodes:
        _check_ports(node, report)
        if "relay" in node.components:
            check_can_relay(node, report)
        _check_swarm(node, report)
        _check_pushable(draft, node, report)
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


def check_can_relay(node: DraftNode, report: Report) -> None:
    """What is to be a relay, by its component or by a policy of its own, is an agent that can be one."""
    version, platform = node.file.version, node.file.platform
    if version is not None and not can_relay(version.value, ""):
        message = f"an agent of version {version.value} cannot be a relay"
        report.error(version.place, "relay-version", message, "a relay needs version 4.8 or later")
    if platform is not None and platform.value == NO_RELAY_ON:
        message = f"an agent on {platform.value} cannot be a relay"
        report.error(platform.place, "relay-platform", message, "put the relay on another platform")


def _check_swarm(node: DraftNode, report: Report) -> None:
    written = node.component_places
    lost = report.lost("topology", "sites", node.site, "nodes", node.base, "swarm")
    if "swarm" in written and node.file.swarm is None and not lost:
        message = f"{node.path}: nothing says how many agents the swarm has"
        report.error(written["swarm"], "swarm-number", message, "write `swarm: 100` beside the components")
    if node.file.swarm is None:
        return
    if node.file.count is not None:
        message = f"{node.path}: a swarm is one node, and `count` makes several"
        report.error(node.file.swarm.place, "swarm-with-count", message, "remove `count`, or write several nodes")
    _check_swarm_names(node, node.file.swarm, report)
    if "agent" in written:
        message = f"{node.path}: swarm and agent both listen for wake-up calls"
        report.error(written["agent"], "swarm-with-agent", message, "put them on nodes of their own")
    for word in (word for word in NOT_WITH_SWARM if word in written):
        message = f"{node.path}: no agent of a swarm can be a {word}"
        report.error(written[word], "swarm-role", message, "put it on a node of its own")


def _check_swarm_names(node: DraftNode, swarm: Located[int], report: Report) -> None:
    last = f"{node.name}-{swarm.value:04d}"
    if len(last) > MAX_NODE_NAME:
        message = f'the last agent of {node.path} would be called "{last}", which has {len(last)} characters'
        hint = f"a system's name has at most {MAX_NODE_NAME}: give the node a shorter one"
        report.error(swarm.place, "swarm-name", message, hint)


def _check_pushable(draft: Draft, node: DraftNode, report: Report) -> None:
    if "pushable" not in node.components:
        return
    if "agent" in node.components:
        message = f"{node.path}: an agent is pushed to a node that has none"
        report.error(node.place_of("pushable"), "pushable-agent", message, "leave out pushable, or the agent")
    handlers = [*draft.with_component("server"), *draft.with_component("handler")]
    if handlers and not any(handler.site == node.site for handler in handlers):
        message = f"{node.path}: no handler finds it by its NetBIOS name, which is known in its own site only"
        report.error(node.place_of("pushable"), "pushable-unknown", message, "put it into the site of a handler")


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
    if {"agent", "swarm"} & set(node.components) or report.lost(
        "topology", "sites", node.site, "nodes", node.base, "components"
    ):
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
