"""Whom an agent answers that accepts connections only from the ePO server: handlers by its version, and nobody else.

Agents of 4.5 and later answer all handlers of their site list, older ones the first alone (domain §4, source S2). The
firewall would keep other nodes away: the strangers are handlers that the list does not name, and the agent's own node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.agents import port_of
from epolab.verify.knocks import Answer, Knock
from epolab.verify.line_time import answer_seconds
from epolab.verify.wakeups import Woken, first_line
from epolab.verify.witness import Witness

PAGE = b"GET / HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n"
REFUSAL = b"is no handler of this agent's site list"
ASKED, WOKEN = "asks for the log page", "says a wake-up"


@dataclass(frozen=True, slots=True)
class Visit:
    """One call at an agent's port: by whom, what for, whether it is to be heard, and over which family."""

    guest: str
    host: str
    what: str
    welcome: bool
    knock: Knock

    @property
    def text(self) -> str:
        """The visit for people."""
        return f"{self.guest} {self.what} over IPv{6 if ':' in self.knock.address else 4}"


def visits(topology: Topology, node: Node, request: bytes = b"") -> list[Visit]:
    """Who calls an agent: each handler that gets to its port and its own node; `request` is a wake-up to be said by
    those who may not."""
    welcome = {handler.path for handler in facts.wakers(topology, node)}
    port = port_of(topology, node)
    guests = [h for h in facts.handlers(topology) if facts.reachable(topology, h, node, "tcp", port)]
    guests += [node] if node not in facts.handlers(topology) else []
    found = []
    for guest in dict.fromkeys(guests):
        wanted = [(ASKED, PAGE)] if guest.path in welcome or not request else [(ASKED, PAGE), (WOKEN, request)]
        patience = answer_seconds(topology, guest, node)
        for address in _addresses(node):
            for what, data in wanted:
                knock = Knock("tcp", str(address), port, data.hex(), timeout_s=patience)
                found.append(Visit(guest.path, node.path, what, guest.path in welcome, knock))
    return found


def _addresses(node: Node) -> tuple[IPv4Address | IPv6Address, ...]:
    return (node.ipv4, node.ipv6)


def call(witness: Witness, woken: Mapping[str, Woken]) -> dict[str, list[tuple[Visit, Answer]]]:
    """All visits at once; by the agent visited."""
    topology = witness.topology
    made = [visit for path, call in woken.items() for visit in visits(topology, topology.node(path), call.request)]
    made = [visit for visit in made if witness.runs(visit.guest)]
    by_guest: dict[str, list[Visit]] = {}
    for visit in made:
        by_guest.setdefault(visit.guest, []).append(visit)
    answers = witness.everywhere({guest: [visit.knock for visit in row] for guest, row in by_guest.items()})
    found: dict[str, list[tuple[Visit, Answer]]] = {path: [] for path in woken}
    for guest, row in by_guest.items():
        for visit, answer in zip(row, answers[guest], strict=True):
            found[visit.host].append((visit, answer))
    return found


def wrong_answers(path: str, made: Sequence[tuple[Visit, Answer]]) -> list[tuple[str, str]]:
    """What is wrong with whom an agent answers, as (expected, observed)."""
    broken = []
    for visit, answer in made:
        reply = bytes.fromhex(answer.reply)
        if visit.welcome and not reply.startswith(b"HTTP/1.1 200 "):
            wanted = f"{path}: shows its log page when {visit.text}, a handler whose calls it answers"
            broken.append((wanted, f"{path}: it answered {first_line(answer)!r}"))
        if not visit.welcome and not (reply.startswith(b"HTTP/1.1 403 ") and REFUSAL in reply):
            wanted = f"{path}: accepts connections only from the ePO server, and refuses that {visit.text}"
            broken.append((wanted, f"{path}: it answered {first_line(answer)!r}"))
    return broken
