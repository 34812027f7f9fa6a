"""Pushing an agent to a node that has none, pushes that must fail, and the node as it was afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from epolab.errors import TimeoutExceededError
from epolab.hands.journal import Undo
from epolab.hands.until import until
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.segment_plan import NOTHING, Told, told, unreachable
from epolab.verify.web_api import shell_text
from epolab.verify.witness import Witness

TASK = "Deploy McAfee Agent"
USER = "administrator"
WRONG_PASSWORD = "not the password"
ABORT_MINUTES = "0.5"
MANAGED_SECONDS = 20.0
UNINSTALL = "if [ -x /opt/miniepo/uninstall-agent ]; then /opt/miniepo/uninstall-agent; fi"
NOBODY = "no-such-system"


@dataclass
class Pushed:
    """What became of pushes: of the real one its reply, log and row; of the others what the log says, by case."""

    reply: str = ""
    log: Told = NOTHING
    row: dict[str, Any] = field(default_factory=dict)
    called_in: bool = False
    failures: dict[str, Told] = field(default_factory=dict)
    server_log: str = ""


def pusher(topology: Topology, node: Node) -> Node | None:
    """The handler that finds a node by its NetBIOS name: one of the node's own site."""
    return next((h for h in facts.handlers(topology) if h.site == node.site), None)


def out_of_reach(topology: Topology) -> Node | None:
    """An agent that no handler can call, and whose name nobody else has."""
    names = Counter(node.name for node in topology.nodes)
    return next((node for node in unreachable(topology) if names[node.name] == 1), None)


@contextmanager
def pushed(witness: Witness, node: Node) -> Iterator[Pushed]:
    """An agent pushed to a node, after the pushes that must fail; the node has none again afterwards."""
    handler = pusher(witness.topology, node) or witness.server
    found = Pushed()
    number = _import(witness, node)
    uninstall = Undo(node.path, UNINSTALL, f"agent pushed to {node.path}", (node.path,))
    with witness.journal.undone_by(_forget(witness, node, number), uninstall):
        found.failures = _failing(witness, node, handler)
        found.reply, log = push(witness, [node.name], handler)
        found.log = log.get(node.name, NOTHING)
        with suppress(TimeoutExceededError):  # what is missing is told
            until(lambda: _managed(witness, node, found), what="the pushed agent", limit_seconds=MANAGED_SECONDS)
        found.server_log = witness.run(handler.path, "tail -n 100 /var/log/miniepo/server.log").stdout
        yield found


def _import(witness: Witness, node: Node) -> str:
    """Enter the system into its site's group, as an administrator does before a push; its number."""
    groups = witness.api("system.findGroups", searchText=node.site)
    path = f"My Organization\\{node.site}"
    (group,) = [str(row["groupId"]) for row in groups if row["groupPath"] == path]
    (row,) = witness.api("system.importSystem", names=node.name, branchNodeID=group)
    return str(row["id"])


def _forget(witness: Witness, node: Node, number: str) -> Undo:
    command = f"{shell_text('system.delete', {'ids': number})} | grep -q '^OK:'"
    return Undo(witness.server.path, command, f"system {node.name}", (facts.sql(witness.topology).path,))


def _failing(witness: Witness, node: Node, handler: Node) -> dict[str, Told]:
    """The pushes that must fail, by what is wrong with them, in two calls."""
    far = out_of_reach(witness.topology)
    names = [NOBODY, node.fqdn, *([far.name] if far else [])]
    _, log = push(witness, names, handler)
    _, refused = push(witness, [node.name], handler, password=WRONG_PASSWORD)
    found = {
        "unknown": log.get(NOBODY, NOTHING),
        "full name": log.get(node.fqdn, NOTHING),
        "refused": refused.get(node.name, NOTHING),
    }
    return found | ({"far": log.get(far.fqdn, NOTHING)} if far else {})


def push(witness: Witness, names: Sequence[str], handler: Node, **more: str) -> tuple[str, dict[str, Told]]:
    """Have a handler push to these names; the reply, and what the log says of each system."""
    words = {"names": ",".join(names), "username": USER, "agentHandler": handler.path, **more}
    reply = str(witness.api("system.deployAgent", abortAfterMinutes=ABORT_MINUTES, **words))
    (entry,) = witness.api("tasklog.listTaskHistory", taskName=TASK, maxRows="1")
    number = {"taskLogId": str(entry["id"])}
    return reply, told(witness.api("tasklog.listSubtasks", **number), witness.api("tasklog.listMessages", **number))


def _managed(witness: Witness, node: Node, found: Pushed) -> bool:
    """Whether the server manages the system, and its agent has called in."""
    rows = witness.api("system.find", searchText=node.name, searchNameOnly="true")
    own = [row for row in rows if row["EPOComputerProperties.IPHostName"] == node.fqdn]
    found.row = own[0] if own else {}
    found.called_in = bool(found.row.get("EPOLeafNode.LastUpdate"))
    return found.called_in and found.row["EPOLeafNode.ManagedState"] == 1
