"""One deployment of a lab: which nodes need it, the roles run on them, what is remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from epolab.deploy import digests
from epolab.deploy.inventory import Lab, host_name, plan_inventory
from epolab.deploy.runner import HERE, ROLES, Watcher, log_of, run_playbook
from epolab.deploy.secrets import ensure_secrets
from epolab.deploy.wheel import build_release
from epolab.errors import DeployError
from epolab.hands.files import LabFolder
from epolab.hands.until import seconds
from epolab.model import Topology

MINIEPO = HERE.parents[4] / "packages" / "miniepo"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DeployReport:
    """Which nodes the roles ran on, which needed nothing, which of them changed, and how long it took."""

    ran: tuple[str, ...]
    skipped: tuple[str, ...]
    changed: tuple[str, ...]
    seconds: float


def deploy(topology: Topology, folder: LabFolder, *, force: bool = False, progress: Tell | None = None) -> DeployReport:
    """Bring the lab's nodes to what the topology says; DeployError names each node, task and message that failed."""
    began, tell = seconds(), progress or (lambda text: None)
    nodes = folder.read_json("nodes.json") or {}
    lab = _facts(topology, folder, nodes)
    inventory = plan_inventory(topology, lab)
    wanted = _digests(topology, inventory, nodes)
    due = tuple(wanted) if force else digests.stale(wanted, folder)
    changed = _roll_out(inventory, wanted, due, folder, tell) if due else set()
    return DeployReport(
        ran=due,
        skipped=tuple(path for path in wanted if path not in due),
        changed=tuple(path for path in wanted if path in changed),
        seconds=seconds() - began,
    )


def _facts(topology: Topology, folder: LabFolder, nodes: Mapping[str, Any]) -> Lab:
    missing = [node.path for node in topology.nodes if node.path not in nodes]
    if missing:
        raise DeployError(f"nodes without a container: {', '.join(missing)}", step="deploy", hint="epolab up")
    return Lab(
        containers={path: entry["container"] for path, entry in nodes.items()},
        ssh=folder.path / "ssh",
        secrets=ensure_secrets(topology, folder.path),
        release=build_release(MINIEPO),
    )


def _digests(topology: Topology, inventory: Mapping[str, Any], nodes: Mapping[str, Any]) -> dict[str, str]:
    roles = digests.tree_digest(ROLES, HERE / "ansible_collections")
    hosts = inventory["all"]["hosts"]
    return {
        node.path: digests.node_digest(hosts[host_name(node)], nodes[node.path]["id"], roles) for node in topology.nodes
    }


def _roll_out(
    inventory: Mapping[str, Any], wanted: Mapping[str, str], due: tuple[str, ...], folder: LabFolder, tell: Tell
) -> set[str]:
    digests.forget(due, folder)
    watcher = run_playbook(only(inventory, {_host(path) for path in due}), folder, tell)
    failed = {failure.node for failure in watcher.failures}
    digests.record(wanted, set(due) - failed, folder)
    if failed:
        raise _error(watcher, log_of(folder))
    return {host.replace(".", "/", 1) for host in watcher.changed}


def _host(path: str) -> str:
    return path.replace("/", ".", 1)


def only(inventory: Mapping[str, Any], hosts: set[str]) -> dict[str, Any]:
    """The inventory without the other hosts; groups stay, empty where nobody is left."""
    everything = inventory["all"]
    return {
        "all": {
            "hosts": {name: variables for name, variables in everything["hosts"].items() if name in hosts},
            "children": {
                group: {"hosts": {name: None for name in members["hosts"] if name in hosts}}
                for group, members in everything["children"].items()
            },
        }
    }


def _error(watcher: Watcher, log: Path) -> DeployError:
    first, *others = watcher.failures
    return DeployError(
        first.text,
        step="deploy",
        hint="epolab deploy goes on with the nodes that failed",
        evidence=[*(failure.text for failure in others[:9]), f"Ansible's own words: {log}"],
    )
