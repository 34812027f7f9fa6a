"""One agent alone: it is cut off from everybody, a property of it changes, and it takes a new GUID."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from typing import Any

from epolab.errors import TimeoutExceededError, WorldError
from epolab.hands.beside import tried
from epolab.hands.journal import Undo
from epolab.hands.until import until
from epolab.model import facts
from epolab.model.topology import Topology
from epolab.verify.agents import status
from epolab.verify.talks import PLACES, names_sent
from epolab.verify.witness import Witness

PROGRAM = resources.files("epolab.verify").joinpath("order_program.py").read_text()
CLEAR = "runuser -u mfeagent -- miniepo ctl property 1 ''"
CALL_IN, STATUS, ENFORCE = {"order": "callin"}, {"order": "status"}, {"order": "enforce"}
OWN = "OUTPUT -m owner --uid-owner mfeagent -m comment --comment verdict"
# names are looked up as ever, whoever they are of answers no more
RULES = [
    f"{tool} {{0}} {OWN} {what}"
    for tool in ("iptables", "ip6tables")
    for what in ("-p tcp -j REJECT --reject-with tcp-reset", "-p udp ! --dport 53 -j REJECT")
]
CUT = " && ".join(rule.format("-w -I") for rule in RULES)
JOIN = " ".join(f"while {rule.format('-w -D')} 2>/dev/null; do :; done;" for rule in RULES) + " true"
WORTH_WAITING_SECONDS = 10.0
SLACK_SECONDS = 10.0
# a machine's other properties may change of themselves between two calls
UNSTEADY = frozenset(("FreeMemory", "FreeDiskSpace"))

Broken = list[tuple[str, str]]


def secluded(topology: Topology) -> tuple[str, ...]:
    """The agent (node path) that is disturbed: one by which nobody else lives, that needs no relay, and no VM."""
    agents = sorted(facts.agents(topology), key=lambda node: node.kind != "container")
    lone = [node for node in agents if node.components == ("agent",)]
    near = [node for node in lone if not facts.needs_relay(topology, node)]
    return tuple(node.path for node in (near or lone or list(agents))[:1])


@dataclass(frozen=True, slots=True)
class Apart:
    """What an agent did while it was cut off: how calling in ended, and how often it enforced its policies.

    `attempts` are those of its call-in, as its status tells them.
    """

    called: bool
    enforcements: int
    every_seconds: float
    attempts: Sequence[Mapping[str, Any]] = ()


def cut_off(witness: Witness, path: str) -> Apart:
    """Cut an agent off from everybody until it has enforced its policies twice on its own, or had the time to."""
    with witness.journal.undone_by(Undo(path, JOIN, "agent cut off")):
        witness.must(path, CUT)
        called, told = ask(witness, path, CALL_IN, STATUS)
        before = told["result"]
        every, seen = float(before["enforcement_seconds"]), before
        if every > WORTH_WAITING_SECONDS:
            ask(witness, path, ENFORCE, ENFORCE)

        def twice() -> bool:
            nonlocal seen
            seen = status(witness, path)
            return bool(seen["enforcements"] >= before["enforcements"] + 2)

        with suppress(TimeoutExceededError):  # how often it did is told by the check
            limit = 2 * min(every, WORTH_WAITING_SECONDS) + SLACK_SECONDS
            until(twice, what=f"{path} enforces its policies", limit_seconds=limit, pause_seconds=0.2)
    obey(witness, path, CALL_IN)
    return Apart(called["ok"], seen["enforcements"] - before["enforcements"], every, before["last_attempts"])


def apart_troubles(path: str, apart: Apart) -> Broken:
    """What is wrong with what an agent did while it was cut off."""
    broken = []
    if apart.called:
        broken.append((f"{path}: reaches nobody while it is cut off", f"{path}: it called in"))
    if apart.enforcements < 2:
        wanted = f"{path}: enforces its policies every {apart.every_seconds:g} s while it reaches no handler"
        broken.append((wanted, f"{path}: it did so {apart.enforcements} times"))
    return broken


@dataclass(frozen=True, slots=True)
class Changed:
    """A custom property that was given to an agent, what it sent then, and what the server has."""

    text: str
    session: tuple[str, ...]
    known: str


def change_property(witness: Witness, path: str) -> Changed:
    """Give an agent a custom property, and let it call in; afterwards it has none."""
    text = f"verdict {uuid.uuid4().hex}"
    change = {"order": "property", "number": 1, "text": text}
    with witness.journal.undone_by(Undo(path, CLEAR, "custom property", keepers=(path,))):
        session = obey(witness, path, CALL_IN, change, CALL_IN)
        known = str(row_of(witness, path).get("EPOComputerProperties.UserProperty1"))
    return Changed(text, session, known)


def change_troubles(path: str, changed: Changed) -> Broken:
    """What is wrong with how a changed property came to the server."""
    sent = names_sent(changed.session)
    broken = []
    if not {"UserProperty1"} <= sent <= UNSTEADY | {"UserProperty1"}:
        wanted = f"{path}: sends UserProperty1, which was changed, and no lasting property"
        broken.append((wanted, f"{path}: it said {', '.join(changed.session)}"))
    if changed.known != changed.text:
        broken.append((f"{path}: the server has UserProperty1 {changed.text!r}", f"{path}: it has {changed.known!r}"))
    return broken


@dataclass(frozen=True, slots=True)
class Renewed:
    """An agent's number and GUID with the server before and after it was asked for a new one, and its own GUID."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    own: str
    session: tuple[str, ...]


def renew_guid(witness: Witness, path: str) -> Renewed:
    """Have an agent take a new GUID at its next call-in, which comes at once."""
    before = row_of(witness, path)
    witness.api("miniepo.regenerateGuid", names=witness.topology.node(path).fqdn)
    session = obey(witness, path, CALL_IN)
    own = witness.must(path, "cat /var/lib/miniepo/agent/guid").strip()
    return Renewed(before, row_of(witness, path), own, session)


def guid_troubles(path: str, renewed: Renewed) -> Broken:
    """What is wrong with an agent's new GUID."""
    guid, number = "EPOLeafNode.AgentGUID", "EPOComputerProperties.ParentID"
    broken = []
    if renewed.after.get(guid) == renewed.before.get(guid) or renewed.after.get(guid) != renewed.own:
        told = f"{path}: it says {renewed.own}, the server has {renewed.after.get(guid)}"
        broken.append((f"{path}: has another GUID than {renewed.before.get(guid)} since it was asked to", told))
    if renewed.after.get(number) != renewed.before.get(number):
        told = f"{path}: it is {renewed.after.get(number)}"
        broken.append((f"{path}: stays the system with the number {renewed.before.get(number)}", told))
    return broken


@dataclass(frozen=True, slots=True)
class Alone:
    """What came of one agent alone; whoever asks for a part of it hears how that failed, if it did."""

    changed: Future[Changed]
    apart: Future[Apart]
    renewed: Future[Renewed]


def disturb(witness: Witness, path: str) -> Alone:
    """Change a property of an agent, cut it off, have it take a new GUID, each whatever became of the one before."""
    return Alone(
        tried(lambda: change_property(witness, path)),
        tried(lambda: cut_off(witness, path)),
        tried(lambda: renew_guid(witness, path)),
    )


def ask(witness: Witness, path: str, *orders: Mapping[str, object]) -> list[dict[str, Any]]:
    """An agent's replies to orders, one after the other."""
    given = {"socket": PLACES["socket"], "patience_s": PLACES["patience_s"], "orders": orders}
    replies: list[dict[str, Any]] = witness.python(path, PROGRAM, given)
    return replies


def obey(witness: Witness, path: str, *orders: Mapping[str, object]) -> tuple[str, ...]:
    """What the agent says of its last session after orders that it has to carry out; WorldError when it cannot."""
    *replies, seen = ask(witness, path, *orders, STATUS)
    for order, reply in zip(orders, replies, strict=True):
        if not reply["ok"]:
            raise WorldError(f"{path}: the agent cannot {order['order']}: {reply['error']}")
    return tuple(seen["result"]["last_session"])


def row_of(witness: Witness, path: str) -> Mapping[str, Any]:
    """The server's row of a system; empty when it has none, or several."""
    name = witness.topology.node(path).fqdn
    rows = [
        row for row in witness.api("system.find", searchText=name) if row["EPOComputerProperties.IPHostName"] == name
    ]
    return rows[0] if len(rows) == 1 else {}
