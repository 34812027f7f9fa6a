"""One SuperAgent wake-up for all agents at once: who called in, what the log says, and what became of forged ones."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from epolab.errors import TimeoutExceededError, WorldError
from epolab.hands.until import until
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import BROADCAST, DISCOVERY_GROUP_V6
from epolab.model.topology import Topology
from epolab.verify.callins import server_time
from epolab.verify.segment_plan import NOTHING, Told, listeners, segment, shouting, unreachable, woken
from epolab.verify.wake_orders import order
from epolab.verify.witness import Witness

PROGRAM = resources.files("epolab.verify").joinpath("segment_program.py").read_text()
READY_SECONDS = 10.0
LISTEN_SECONDS = 40.0
REFUSAL_SECONDS = 8.0
LOG = "/var/log/miniepo/cmdagent.log"
FORGED, REPLAYED = "refused: the signature is not that", "refused: the nonce was seen before"


@dataclass
class Abuse:
    """The broadcast that a listener heard, and what it made of forged ones and of the real one sent again; `trouble` if
    none came."""

    listener: str
    trouble: str = ""
    broadcast: bytes = b""
    refused: dict[str, bool] = field(default_factory=dict)
    callins: list[str] = field(default_factory=list)


@dataclass
class Called:
    """What the wake-up did: the reply, the log by full name, the call-ins, the direct calls that cannot get there."""

    reply: str = ""
    log: dict[str, Told] = field(default_factory=dict)
    direct: dict[str, Told] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)
    server_log: str = ""
    abuse: dict[str, Abuse] = field(default_factory=dict)

    def about(self, node: Node) -> Told:
        """What the log says of an agent."""
        return self.log.get(node.fqdn, NOTHING)


def call_all(witness: Witness, topology: Topology) -> Called:
    """Wake all agents by their SuperAgents, at the same time those by themselves that cannot be called; then forge."""
    called = Called()
    nodes, far = witness.running(facts.agents(topology)), witness.running(unreachable(topology))
    with ThreadPoolExecutor(16) as pool:
        ears = {sa.path: Ear(witness, listeners(topology, sa, witness.absent)[0], pool) for sa in _heard(witness)}
        for ear in ears.values():
            ear.until_ready()
        since = server_time(witness)
        direct = pool.submit(order, witness, _names(far), {}) if far else None
        if len(far) == len(nodes):
            wait([direct] if direct else [])  # two entries about the same systems are told apart by their time
        called.reply, called.log = order(witness, _names(nodes), {"superAgent": "true"})
        called.calls = list(witness.api("miniepo.listCallins", since=str(since)))
        forging = {path: pool.submit(_abuse, witness, topology.node(path), ear) for path, ear in ears.items()}
        called.abuse = {path: future.result() for path, future in forging.items()}
        called.direct = direct.result()[1] if direct is not None else {}
    for path, abuse in called.abuse.items():
        calls = witness.api("miniepo.listCallins", since=str(since))
        abuse.callins = woken(calls, topology.node(abuse.listener).fqdn)
        called.abuse[path] = abuse
    called.server_log = _server_logs(witness, topology) if far else ""
    return called


def _heard(witness: Witness) -> list[Node]:
    """The SuperAgents that somebody else hears."""
    topology = witness.topology
    return [sa for sa in shouting(topology, witness.absent) if listeners(topology, sa, witness.absent)]


def _names(nodes: Sequence[Node]) -> list[str]:
    return [node.fqdn for node in nodes]


def _server_logs(witness: Witness, topology: Topology) -> str:
    """The newest lines of `server.log` of the server and all handlers."""
    running = witness.running(facts.handlers(topology))
    return "\n".join(witness.run(node.path, "tail -n 200 /var/log/miniepo/server.log").stdout for node in running)


class Ear:
    """A listener's segment, recorded from the listener's own node until the broadcast has come."""

    def __init__(self, witness: Witness, node: Node, pool: ThreadPoolExecutor) -> None:
        self._witness, self.node = witness, node
        self._marker = f"verdict-{uuid.uuid4().hex}"
        asked = {
            "do": "hear",
            "address": str(node.interfaces[0].ipv4.network.broadcast_address),
            "port": BROADCAST,
            "marker": self._marker,
            "timeout_s": LISTEN_SECONDS,
        }
        self._heard: Future[dict[str, str]] = pool.submit(witness.python, node.path, PROGRAM, asked, "segment")

    def until_ready(self) -> None:
        """Wait until the recording runs; whether it ever does shows in what was heard."""
        with suppress(TimeoutExceededError):
            until(
                lambda: (
                    self._heard.done()
                    or self._witness.run(self.node.path, f"grep -q {self._marker} /proc/net/unix").code == 0
                ),
                what=f"{self.node.path} records its segment",
                limit_seconds=READY_SECONDS,
            )

    def heard(self) -> bytes:
        """The broadcast as it came; nothing if none did. It is waited for only if it may still come."""
        with suppress(TimeoutError):
            return self._data(1.0)
        self._witness.python(self.node.path, PROGRAM, {"do": "stop", "marker": self._marker}, "segment-stop")
        return self._data(READY_SECONDS)

    def _data(self, limit_seconds: float) -> bytes:
        try:
            return bytes.fromhex(self._heard.result(timeout=limit_seconds)["data"])
        except WorldError:  # what could not be recorded was not heard
            return b""


def _abuse(witness: Witness, superagent: Node, ear: Ear) -> Abuse:
    """Say it again in the segment, forged and as it was, until the listener has refused both."""
    found = Abuse(ear.node.path)
    data = ear.heard()
    if not data:
        found.trouble = f"no broadcast came to {ear.node.path} on segment {segment(ear.node)}"
        return found
    found.broadcast = data
    before = {line: _count(witness, ear.node, line) for line in (FORGED, REPLAYED)}

    def all_refused() -> bool:
        _shout(witness, superagent, [forged(data), data])
        found.refused = {line: _count(witness, ear.node, line) > count for line, count in before.items()}
        return all(found.refused.values())

    with suppress(TimeoutExceededError):  # what was not refused is told
        until(all_refused, what="refusals", limit_seconds=REFUSAL_SECONDS, pause_seconds=0.2)
    return found


def forged(data: bytes) -> bytes:
    """The broadcast with a word changed that the signature covers."""
    start = data.index(b'"nonce":"') + len(b'"nonce":"')
    other = b"0" if data[start : start + 1] != b"0" else b"1"
    return data[:start] + other + data[start + 1 :]


def _count(witness: Witness, node: Node, line: str) -> int:
    return int(witness.run(node.path, f"grep -c 'broadcast from .* {line}' {LOG}").stdout.strip() or 0)


def _shout(witness: Witness, node: Node, data: Sequence[bytes]) -> None:
    interface = node.interfaces[0]
    asked = {
        "do": "shout",
        "address": str(interface.ipv4.network.broadcast_address),
        "group": DISCOVERY_GROUP_V6,
        "interface_of": str(interface.ipv6.ip),
        "port": BROADCAST,
        "data": [each.hex() for each in data],
    }
    witness.python(node.path, PROGRAM, asked, "segment")
