"""What Ansible is told about each node: the topology, the lab's secrets and the release as variables of the roles.

Secrets never become variables: a variable holds the path of a secret's file on this host.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from epolab.deploy.management import management_variables
from epolab.deploy.secrets import ADMIN_USER, PUSH_USER, Secrets, subject_hash
from epolab.deploy.wheel import Release
from epolab.hands.guest import ssh_proxy_argv
from epolab.model import FirewallException, Node, Topology, facts
from epolab.model.ports import CLIENT_AUTHENTICATED

SERVER_NAME = "EPO"
SERVER_VERSION = "5.9.1"
VENDOR_DOMAIN = "nai.com"
DISCOVERY_PORT = 8083
SERVICES = {
    "dns": ("dnsmasq",),
    "sql": ("postgresql",),
    "server": ("miniepo-handler", "miniepo-server"),
    "handler": ("miniepo-handler",),
    "updates": ("miniepo-updates",),
    "agent": ("cmamesh", "cmdagent"),
    "swarm": ("cmamesh", "cmdagent", "miniepo-swarm"),
    "pushable": ("cmamesh", "cmdagent", "push-sshd"),
}
MINIEPO_COMPONENTS = ("server", "handler", "updates", "agent", "swarm")
ROLE_ORDER = ("router", "dns", "sql", "handler", "server", "updates", "pushable")
GROUPS = ("sql", "server", "handler", "updates", "router", "dns", "agent", "swarm", "pushable")
"""The components that have a role, in the order in which their nodes are best begun with."""


@dataclass(frozen=True, slots=True)
class Lab:
    """The facts about a lab that are not in its topology; `containers` is by node path."""

    containers: Mapping[str, str]
    ssh: Path
    secrets: Secrets
    release: Release


def host_name(node: Node) -> str:
    """A node's name in the inventory; names of nodes may repeat across sites."""
    return f"{node.site}.{node.name}"


def plan_inventory(topology: Topology, lab: Lab) -> dict[str, Any]:
    """The whole inventory: a group for each component, variables for each host."""
    hosts = {host_name(node): host_variables(topology, lab, node) for node in in_order(topology)}
    groups = {f"nodes_{component}": {"hosts": _members(topology, component)} for component in GROUPS}
    return {"all": {"hosts": hosts, "children": groups}}


def in_order(topology: Topology) -> list[Node]:
    """All nodes, those first that others wait for."""
    return sorted(topology.nodes, key=lambda node: min(_rank(node), default=len(GROUPS)))


def _rank(node: Node) -> list[int]:
    return [GROUPS.index(component) for component in node.components if component in GROUPS]


def _members(topology: Topology, component: str) -> dict[str, None]:
    wanted = (component, "server") if component == "handler" else (component,)
    return {host_name(node): None for node in topology.nodes if any(node.has(name) for name in wanted)}


def host_variables(topology: Topology, lab: Lab, node: Node) -> dict[str, Any]:
    """The variables of one node: how it is reached, and what its roles are told."""
    variables = _connection(lab, node) | _base(lab, node) | _firewall(topology, node)
    if node.has("router"):
        variables |= _router(topology, node)
    if node.has("dns"):
        variables |= _dns(topology, node)
    if node.has("sql"):
        variables |= _sql(topology, lab, node)
    if node.has("server"):
        variables |= _server(topology, lab, node) | management_variables(topology)
    if node.has("server") or node.has("handler"):
        variables |= _handler(topology, lab, node)
    if node.has("updates"):
        variables |= {"updates_signing_key": str(lab.secrets.signing_key("vendor")), "updates_seed": topology.name}
    if node.has("pushable"):
        variables |= {"pushable_user": PUSH_USER, "pushable_password_file": str(lab.secrets.password("push"))}
    if node.has("agent") or node.has("swarm"):
        variables |= _agent(topology, lab, node)
    if node.has("swarm"):
        variables |= {"swarm_agents": node.swarm}
    return variables


def _runs_miniepo(node: Node) -> bool:
    return any(node.has(component) for component in MINIEPO_COMPONENTS)


def roles_of(node: Node) -> list[str]:
    """The roles of a node, in order, but for those that wait for the whole lab: management, and the agent's."""
    roles = ["base", "firewall", *(["release"] if _runs_miniepo(node) else [])]
    for component in ROLE_ORDER:
        if node.has(component) or (component == "handler" and node.has("server")):
            roles.append(component)
    return roles


def _connection(lab: Lab, node: Node) -> dict[str, Any]:
    proxy = shlex.join(ssh_proxy_argv(lab.containers[node.path], node.kind))
    options = {
        "ProxyCommand": proxy,
        "UserKnownHostsFile": str(lab.ssh / "known_hosts"),
        "GlobalKnownHostsFile": "/dev/null",
        "IdentitiesOnly": "yes",
        "Compression": "no",
    }
    return {
        "ansible_host": host_name(node),
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(lab.ssh / "id_ed25519"),
        "ansible_ssh_common_args": shlex.join(
            ["-F", "/dev/null", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
        ),
        "ansible_python_interpreter": "/usr/bin/python3",
        "mitogen_ssh_compression": False,
    }


def _base(lab: Lab, node: Node) -> dict[str, Any]:
    services = {name for component in node.components for name in SERVICES.get(component, ())}
    variables: dict[str, Any] = {
        "node_roles": roles_of(node),
        "base_ca_certificate": str(lab.secrets.ca_bundle),
        "base_ca_subject_hash": subject_hash(lab.secrets.ca_certificate),
        "base_services": sorted(services),
    }
    if _runs_miniepo(node):
        variables |= {"release_archive": str(lab.release.archive), "release_digest": lab.release.digest}
    return variables


def _firewall(topology: Topology, node: Node) -> dict[str, Any]:
    """A router without an agent drops nothing that is meant for itself: it is no endpoint."""
    exceptions = facts.exceptions(topology, node)
    return {
        "firewall_exceptions": [asdict(exception) for exception in exceptions],
        "firewall_closed": node.has("agent") or not node.has("router"),
        "firewall_trusted": [
            {
                "interface": interface.name,
                "v4": str(interface.ipv4.network),
                "v6": str(interface.ipv6.network),
                "reason": f"the other end of {interface.link}",
            }
            for interface in node.interfaces
            if interface.link is not None
        ],
        "firewall_speakers": _speakers(exceptions),
        "firewall_hidden": _hidden(topology, node),
    }


def _hidden(topology: Topology, node: Node) -> list[dict[str, str]]:
    """What a router behind NAT is not called at from outside: its addresses on the networks of its site."""
    site = topology.site(node.site)
    if not (node.has("router") and site.nat):
        return []
    lines = [interface.name for interface in node.interfaces if interface.link is not None]
    reason = "the site is behind NAT"
    return [
        {"interface": line, "v4": str(segment.ipv4), "v6": str(segment.ipv6), "reason": reason}
        for line in lines
        for segment in site.segments
    ]


def _speakers(exceptions: tuple[FirewallException, ...]) -> list[dict[str, Any]]:
    """The ports on which only the relay process may answer; the broadcast port is shared with the agent."""
    relay = [e for e in exceptions if e.owner == "cmamesh" and (e.protocol == "tcp" or e.port == DISCOVERY_PORT)]
    return [
        {"protocol": e.protocol, "port": e.port, "owners": ["cmamesh"], "reason": f"{e.reason}: cmamesh answers"}
        for e in relay
    ]


def _router(topology: Topology, node: Node) -> dict[str, Any]:
    site = topology.site(node.site)
    return {
        "router_rules": [asdict(rule) for rule in facts.forward_rules(topology, node.site)],
        "router_default": site.firewall.default,
        "router_nat": site.nat,
        "router_wan_interfaces": [i.name for i in node.interfaces if i.link is not None],
        "router_networks_v4": [str(segment.ipv4) for segment in site.segments],
        "router_networks_v6": [str(segment.ipv6) for segment in site.segments],
    }


def _dns(topology: Topology, node: Node) -> dict[str, Any]:
    names: dict[str, list[str]] = {}
    for address, fqdn, _ in facts.hosts(topology):
        names.setdefault(address, []).append(fqdn)
    return {
        "dns_hosts": [{"address": address, "names": known} for address, known in names.items()],
        "dns_domains": ["test", VENDOR_DOMAIN],
        "dns_probe_name": node.fqdn,
    }


def _sql(topology: Topology, lab: Lab, node: Node) -> dict[str, Any]:
    clients = [facts.seen_cidrs(topology, handler, node) for handler in facts.handlers(topology)]
    return {
        "sql_password_file": str(lab.secrets.password("db")),
        "sql_certificate": str(lab.secrets.certificate(node)),
        "sql_key": str(lab.secrets.key(node)),
        "sql_clients": [cidr for families in clients for family in families for cidr in family],
    }


def _server(topology: Topology, lab: Lab, node: Node) -> dict[str, Any]:
    vendor = facts.updates(topology)
    return {
        "server_name": SERVER_NAME,
        "server_fqdn": node.fqdn,
        "server_database_host": facts.sql(topology).fqdn,
        "server_admin_user": ADMIN_USER,
        "server_admin_password_file": str(lab.secrets.password("admin")),
        "server_vendor_key": str(lab.secrets.verify_key("vendor")) if vendor else "",
        "server_asci_seconds": topology.asci_seconds,
    }


def _handler(topology: Topology, lab: Lab, node: Node) -> dict[str, Any]:
    master = facts.server(topology)
    return {
        "handler_name": node.path,
        "handler_fqdn": node.fqdn,
        "handler_addresses": [str(node.ipv4), str(node.ipv6)],
        "handler_master_url": "" if node == master else f"https://{master.fqdn}:443/",
        "handler_database_host": facts.sql(topology).fqdn,
        "handler_database_password_file": str(lab.secrets.password("db")),
        "handler_certificate": str(lab.secrets.certificate(node)),
        "handler_key": str(lab.secrets.key(node)),
        "handler_signing_key": str(lab.secrets.signing_key("assc")),
        "handler_verify_key": str(lab.secrets.verify_key("assc")),
        "handler_enrolment_key": str(lab.secrets.enrolment_key),
        "handler_channel_url": f"https://{master.fqdn}:{CLIENT_AUTHENTICATED}",
        "handler_channel_certificate": str(lab.secrets.channel_certificate(node)),
        "handler_channel_key": str(lab.secrets.channel_key(node)),
        "handler_package_certificate": str(lab.secrets.package_certificate),
        "handler_package_key": str(lab.secrets.package_certificate.with_suffix(".key")),
        "handler_push_user": PUSH_USER,
        "handler_push_password_file": str(lab.secrets.password("push")),
    }


def _agent(topology: Topology, lab: Lab, node: Node) -> dict[str, Any]:
    holds_content = node.has("server") or node.has("handler")
    return {
        "agent_computer_name": node.name,
        "agent_fqdn": node.fqdn,
        "agent_version": node.version,
        "agent_platform": node.platform,
        "agent_asci_seconds": node.asci_seconds,
        "agent_repository": "/var/lib/miniepo/" + ("superagent" if holds_content else "repository"),
        "agent_server_name": SERVER_NAME,
        "agent_handlers": [
            _site(handler, order)
            for order, equals in enumerate(facts.handler_tiers(topology, node), start=1)
            for handler in equals
        ],
        "agent_certificate": str(lab.secrets.agent_certificate(node)),
        "agent_key": str(lab.secrets.agent_key(node)),
        "agent_verify_key": str(lab.secrets.verify_key("assc")),
        "agent_enrolment_key": str(lab.secrets.enrolment_key),
    }


def _site(handler: Node, order: int) -> dict[str, Any]:
    """A handler as a first site list names it; the server's own list replaces it at the first call-in."""
    return {
        "name": f"ePO_{handler.name.upper()}",
        "order": order,
        "host": handler.fqdn,
        "short_name": handler.name,
        "v4": str(handler.ipv4),
        "v6": str(handler.ipv6),
        "version": SERVER_VERSION,
    }
