"""Waking agents up through the server, recording the call on its way in, and sending it again as it was or forged."""

from __future__ import annotations

import base64
import json
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any

from epolab.errors import TimeoutExceededError, WorldError
from epolab.hands.until import until
from epolab.model import facts
from epolab.model.node import Node
from epolab.verify.agents import port_of, status
from epolab.verify.knocks import Answer, Knock
from epolab.verify.line_time import answer_seconds
from epolab.verify.witness import Witness

SNIFFER = resources.files("epolab.verify").joinpath("sniffer_program.py").read_text()
# so many at once that neither this machine nor the handlers are what the agents' answers wait for
AGENTS_AT_A_TIME = 8
READY_LIMIT_SECONDS = 10.0
CALLIN_LIMIT_SECONDS = 10.0
LOOKED_BACK_SECONDS = 600.0
LISTEN_SECONDS = READY_LIMIT_SECONDS + CALLIN_LIMIT_SECONDS + 5.0

Call = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Woken:
    """What one wake-up did: its id and request as recorded, who sent it, after how many seconds the agent called.

    `trouble` says why the agent could not be watched; nothing else is known of it then.
    """

    path: str
    fqdn: str
    port: int
    asci_seconds: float = 0.0
    reply: str = ""
    wakeup_id: str = ""
    seconds: float | None = None
    request: bytes = b""
    source: str = ""
    trouble: str = ""


def wake(witness: Witness, nodes: Sequence[Node], troubles: Mapping[str, str]) -> dict[str, Woken]:
    """Wake these agents up through the Web API, some at once; by node path. Those in `troubles` are left alone."""
    woken = {node.path: _nothing(witness, node, troubles[node.path]) for node in nodes if node.path in troubles}
    whole = [node for node in nodes if node.path not in troubles]
    for first in range(0, len(whole), AGENTS_AT_A_TIME):
        woken |= _wake_together(witness, whole[first : first + AGENTS_AT_A_TIME])
    return woken


def _nothing(witness: Witness, node: Node, trouble: str) -> Woken:
    return Woken(node.path, node.fqdn, port_of(witness.topology, node), trouble=trouble)


def _wake_together(witness: Witness, nodes: Sequence[Node]) -> dict[str, Woken]:
    """All of these at once; each records on a thread of its own until its wake-up has come."""
    woken: dict[str, Woken] = {}
    with ThreadPoolExecutor(2 * len(nodes)) as pool:
        recordings = {node.path: Recording(witness, node, pool) for node in nodes}
        troubles = dict(zip(recordings, pool.map(Recording.until_ready, recordings.values()), strict=True))
        woken |= {node.path: _nothing(witness, node, text) for node in nodes if (text := troubles[node.path])}
        whole = [node for node in nodes if node.path not in woken]
        if not whole:
            return woken
        began = float(witness.api("miniepo.now"))
        reply = str(witness.api("system.wakeupAgent", names=",".join(node.fqdn for node in whole)))
        calls = _callins(witness, {node.fqdn: recordings[node.path] for node in whole}, began)
        return woken | {node.path: recordings[node.path].woken(reply, calls.get(node.fqdn), began) for node in whole}


class Recording:
    """One agent's port, watched from its own node until a wake-up has come in."""

    def __init__(self, witness: Witness, node: Node, pool: ThreadPoolExecutor) -> None:
        self._witness, self._node = witness, node
        self._marker = f"verdict-{uuid.uuid4().hex}"
        self._asci_seconds = 0.0
        self._seen: Future[dict[str, str]] = pool.submit(self._record)

    def _record(self) -> dict[str, str]:
        asked = {
            "port": port_of(self._witness.topology, self._node),
            "addresses": sorted(_addresses(self._node)),
            "begins": "POST /wakeup ",
            "timeout_s": LISTEN_SECONDS,
            "marker": self._marker,
        }
        recorded: dict[str, str] = self._witness.python(self._node.path, SNIFFER, asked, line="sniffer")
        return recorded

    def until_ready(self) -> str:
        """Wait until the recording runs; why it does not, or nothing."""
        path = self._node.path
        try:
            self._asci_seconds = float(status(self._witness, path)["asci_seconds"])
            until(
                lambda: self._witness.run(path, f"grep -q {self._marker} /proc/net/unix").code == 0,
                what=f"{path} records what comes to its port",
                limit_seconds=READY_LIMIT_SECONDS,
            )
        except WorldError as error:
            return error.message
        return ""

    @property
    def wakeup_id(self) -> str:
        """The id of the wake-up that came in; empty as long as none was recorded."""
        if not self._seen.done() or self._seen.exception() is not None:
            return ""
        return wakeup_id_of(bytes.fromhex(self._seen.result()["request"]))

    def woken(self, reply: str, call: Call | None, began: float) -> Woken:
        """What became of it all."""
        nothing = _nothing(self._witness, self._node, "")
        try:
            seen = self._seen.result()
        except WorldError as error:
            return replace(nothing, trouble=error.message)
        return replace(
            nothing,
            asci_seconds=self._asci_seconds,
            reply=reply,
            wakeup_id=call["wakeup_id"] if call else "",
            seconds=call["received"] - began if call else None,
            request=bytes.fromhex(seen["request"]),
            source=seen["source"],
        )


def _callins(witness: Witness, recordings: Mapping[str, Recording], since: float) -> dict[str, Call]:
    """The call-in of each agent (by full name) that its wake-up caused, as far as they come within the limit.

    An earlier wake-up may have left a call-in under way; it counts only for an agent whose wake-up was not recorded.
    """
    calls: list[Call] = []

    def caused() -> dict[str, Call]:
        found = {name: caused_by(each.wakeup_id, name, calls) for name, each in recordings.items()}
        return {name: call for name, call in found.items() if call is not None}

    def all_called() -> bool:
        calls[:] = witness.api("miniepo.listCallins", since=str(since))
        recorded = all(each.wakeup_id for each in recordings.values())
        return recorded and caused().keys() == recordings.keys()

    with suppress(TimeoutExceededError):  # who is missing is told agent by agent
        until(all_called, what="every woken agent calls in", limit_seconds=CALLIN_LIMIT_SECONDS)
    return caused()


def caused_by(wakeup_id: str, name: str, calls: Sequence[Call]) -> Call | None:
    """The first of an agent's call-ins that this wake-up caused, or any wake-up where the id is not known."""
    own = [call for call in calls if call["fqdn"] == name and call["wakeup_id"]]
    return next((call for call in own if wakeup_id in ("", call["wakeup_id"])), None)


def wakeup_id_of(request: bytes) -> str:
    """The id within a recorded wake-up; empty when there is none."""
    try:
        envelope = json.loads(request.partition(b"\r\n\r\n")[2])
        return str(json.loads(base64.b64decode(envelope["payload"]))["wakeup_id"])
    except (ValueError, KeyError):
        return ""


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


@dataclass(frozen=True, slots=True)
class Forgeries:
    """What agents (by node path) answered to wake-ups that nobody meant for them, as (what is wrong with it, the first
    line of the answer), and how often each called in for its real one."""

    answers: Mapping[str, Sequence[tuple[str, str]]]
    callins: Mapping[str, int]


def forge(witness: Witness, woken: Mapping[str, Woken]) -> Forgeries:
    """Send every agent its recorded wake-up again, and forged ones, from where the real one came; all at once."""
    calls = [call for call in woken.values() if call.request]
    sent: dict[str, list[tuple[str, str, Knock]]] = {}
    for call in calls:
        sender = _sender(witness, call)
        for what, request in (("replayed", call.request), *forged(call.request)):
            sent.setdefault(sender.path, []).append((call.path, what, _replay(witness, sender, call, request)))
    came = witness.everywhere({origin: [knock for _, _, knock in row] for origin, row in sent.items()})
    answers: dict[str, list[tuple[str, str]]] = {path: [] for path in woken}
    for origin, row in sent.items():
        for (path, what, _), answer in zip(row, came[origin], strict=True):
            answers[path].append((what, first_line(answer)))
    since = str(float(witness.api("miniepo.now")) - LOOKED_BACK_SECONDS)
    heard = Counter(row["wakeup_id"] for row in witness.api("miniepo.listCallins", since=since))
    return Forgeries(answers, {path: heard[call.wakeup_id] for path, call in woken.items()})


def _sender(witness: Witness, call: Woken) -> Node:
    senders = [node for node in facts.handlers(witness.topology) if call.source in _addresses(node)]
    return senders[0] if senders else witness.server


def _replay(witness: Witness, sender: Node, call: Woken, request: bytes) -> Knock:
    node = witness.topology.node(call.path)
    address = str(node.ipv6 if ":" in call.source else node.ipv4)
    patience = answer_seconds(witness.topology, sender, node)
    return Knock("tcp", address, call.port, request.hex(), timeout_s=patience)


def first_line(answer: Answer) -> str:
    """The first line of an answer, or what came instead."""
    return bytes.fromhex(answer.reply).decode("latin-1").partition("\r\n")[0] or answer.text


def _addresses(node: Node) -> set[str]:
    return {str(ip) for interface in node.interfaces for ip in (interface.ipv4.ip, interface.ipv6.ip)}
