"""Waking agents up through the server, recording the call on its way in, and sending it again as it was or forged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from typing import Any

from epolab.errors import TimeoutExceededError
from epolab.hands.until import until
from epolab.model import facts
from epolab.model.node import Node
from epolab.verify.agents import port_of, status
from epolab.verify.knocks import Knock
from epolab.verify.witness import Witness

SNIFFER = resources.files("epolab.verify").joinpath("sniffer_program.py").read_text()
LISTEN_SECONDS = 20.0
CALLIN_LIMIT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Woken:
    """What one wake-up did: its id and request as recorded, who sent it, after how many seconds the agent called."""

    path: str
    fqdn: str
    port: int
    asci_seconds: float
    reply: str
    wakeup_id: str
    seconds: float | None
    request: bytes
    source: str


def wake(witness: Witness, nodes: Sequence[Node]) -> dict[str, Woken]:
    """Wake these agents up through the Web API, all at once; by node path."""
    if not nodes:
        return {}
    asci = {node.path: float(status(witness, node.path)["asci_seconds"]) for node in nodes}
    with ThreadPoolExecutor(len(nodes)) as pool:
        recordings = {node.path: pool.submit(_record, witness, node) for node in nodes}
        for node in nodes:
            _until_recording(witness, node)
        began = float(witness.api("miniepo.now"))
        reply = str(witness.api("system.wakeupAgent", names=",".join(node.fqdn for node in nodes)))
        calls = _callins(witness, nodes, began)
        return {
            node.path: _woken(witness, node, asci[node.path], reply, calls.get(node.fqdn), began, recordings[node.path])
            for node in nodes
        }


def _record(witness: Witness, node: Node) -> dict[str, Any]:
    asked = {"port": port_of(witness.topology, node), "begins": "POST /wakeup ", "timeout_s": LISTEN_SECONDS}
    recorded: dict[str, Any] = witness.python(node.path, SNIFFER, asked, line="sniffer")
    return recorded


def _until_recording(witness: Witness, node: Node) -> None:
    """The kernel lists an open packet socket below a line of headings."""
    until(
        lambda: int(witness.must(node.path, "wc -l < /proc/net/packet")) > 1,
        what=f"{node.path} records",
        limit_seconds=10,
    )


def _callins(witness: Witness, nodes: Sequence[Node], since: float) -> dict[str, dict[str, Any]]:
    """The first call-in of each agent that a wake-up caused, as far as they come within the limit."""
    seen: dict[str, dict[str, Any]] = {}

    def all_called() -> bool:
        for call in witness.api("miniepo.listCallins", since=str(since)):
            if call["wakeup_id"]:
                seen.setdefault(call["fqdn"], call)
        return all(node.fqdn in seen for node in nodes)

    try:
        until(all_called, what="every woken agent calls in", limit_seconds=CALLIN_LIMIT_SECONDS)
    except TimeoutExceededError:
        return seen  # who is missing is told agent by agent
    return seen


def _woken(
    witness: Witness,
    node: Node,
    asci_seconds: float,
    reply: str,
    call: dict[str, Any] | None,
    began: float,
    recording: Future[dict[str, Any]],
) -> Woken:
    recorded = recording.result()
    return Woken(
        path=node.path,
        fqdn=node.fqdn,
        port=port_of(witness.topology, node),
        asci_seconds=asci_seconds,
        reply=reply,
        wakeup_id=call["wakeup_id"] if call else "",
        seconds=call["received"] - began if call else None,
        request=bytes.fromhex(recorded["request"]),
        source=recorded["source"],
    )


def forged(request: bytes) -> list[tuple[str, bytes]]:
    """Wake-ups that the server never signed, made from a real one: (what is wrong with it, the request)."""
    envelope = json.loads(request.partition(b"\r\n\r\n")[2])
    changes = {
        "wrongly signed": {"signature": _other(envelope["signature"])},
        "changed": {"payload": _other(envelope["payload"])},
        "renewed": {"nonce": _other(envelope["nonce"])},
    }
    return [
        (what, _with_body(request, json.dumps({**envelope, **change}).encode())) for what, change in changes.items()
    ]


def _other(text: str) -> str:
    """The same text with another first sign."""
    return ("B" if text[0] == "A" else "A") + text[1:]


def _with_body(request: bytes, body: bytes) -> bytes:
    head = request.partition(b"\r\n\r\n")[0]
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


def replay(witness: Witness, call: Woken, request: bytes) -> str:
    """Send a request to the agent from the node that sent the real one; the first line of the answer, or what came."""
    senders = [node for node in facts.handlers(witness.topology) if call.source in _addresses(node)]
    sender = senders[0] if senders else witness.server
    node = witness.topology.node(call.path)
    address = str(node.ipv6 if ":" in call.source else node.ipv4)
    knock = Knock("tcp", address, call.port, request.hex(), timeout_s=3.0)
    (answer,) = witness.knock(sender.path, [knock])
    return bytes.fromhex(answer.reply).decode("latin-1").partition("\r\n")[0] or answer.text


def _addresses(node: Node) -> set[str]:
    return {str(ip) for interface in node.interfaces for ip in (interface.ipv4.ip, interface.ipv6.ip)}
