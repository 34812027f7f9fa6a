"""Trying agents behind relays with content that does not come through their current one, though their handlers do.

A relay only passes bytes on, and takes an agent to its handler and to that handler's content by the same port. What
differs is the size: on the relay's node a connection to a site is broken off once it has brought more than any call-in
needs, so that call-ins and catalogs pass and content does not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from epolab.hands.journal import Undo
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import HTTPS
from epolab.model.topology import Topology
from epolab.verify.agents import UPDATE, complaint_of, reply_of, status
from epolab.verify.relay_rounds import named, rounds
from epolab.verify.relay_trials import TOOLS, together
from epolab.verify.witness import Ran, Witness

PASSES_BYTES = 65_536
"""More than a call-in brings (some 5 KB), less than an increment of the lab's content (200 KB)."""
NOTE = "epolab verify: no content"
RULE = (
    f"OUTPUT -p tcp --dport {HTTPS} -m owner --uid-owner cmamesh -m connbytes --connbytes {PASSES_BYTES}: "
    f'--connbytes-dir reply --connbytes-mode bytes -m comment --comment "{NOTE}" -j REJECT --reject-with tcp-reset'
)
BAR = " && ".join(f"{tool} -w -I {RULE}" for tool in TOOLS)
UNBAR = "; ".join(f"while {tool} -w -D {RULE} 2>/dev/null; do :; done" for tool in TOOLS)
COUNT = f"for t in {' '.join(TOOLS)}; do $t -w -nvxL OUTPUT; done | awk '/{NOTE}/ {{n += $1}} END {{print n + 0}}'"
DAT = "VSCANDAT1000"
_FORGET = f"""import json, os
path = "/var/lib/miniepo/agent/installed.json"
held = json.load(open(path)) if os.path.exists(path) else {{}}
number, dot, rest = held.get("{DAT}", "").partition(".")
if number.isdecimal():
    held["{DAT}"] = str(int(number) - 1) + dot + rest
    open(os.open(path + ".older", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w").write(json.dumps(held))
    os.replace(path + ".older", path)"""
FORGET = f"runuser -u mfeagent -- python3 -c '{_FORGET}'"
"""An agent believes that it has the increment before its last one; an update puts that right, this one or its own."""
LATEST = "already latest"
TRIES = 3


@dataclass(frozen=True, slots=True)
class Lack:
    """What an update of an agent came to while no content came through `relay` (node path), its current one.

    `broken_off` says how often that relay had to break off content; `outcome` is the update's own word, `complaint` is
    empty where it succeeded, `source` and `via` (computer name) are where it took the content from.
    """

    relay: str
    outcome: str
    complaint: str
    source: str | None
    via: str | None
    broken_off: int

    @property
    def is_proof(self) -> bool:
        """Whether the agent tried to fetch content through that relay: its schedule may have been before us."""
        return bool(self.complaint) or (self.broken_off > 0 and not self.outcome.endswith(LATEST))


def fed(topology: Topology) -> tuple[Node, ...]:
    """The agents that take content through relays, of which they have several; none where there is no content."""
    if facts.updates(topology) is None:
        return ()
    own = facts.repositories(topology)
    needy = [node for node in facts.agents(topology) if facts.needs_relay(topology, node)]
    choosy = [node for node in needy if len(facts.relays_for(topology, node)) > 1]
    return tuple(node for node in choosy if facts.repository_of(topology, node) not in own)


def lacking(witness: Witness, topology: Topology, paths: Collection[str]) -> dict[str, Lack]:
    """Let these agents (paths) update while no content comes through the relay that each of them uses."""
    found: dict[str, Lack] = {}
    left = [topology.node(path) for path in paths]
    for _ in range(TRIES):
        current = {
            node.path: relay
            for node in left
            if (relay := named(topology, node, first_of(status(witness, node.path)))) is not None
        }
        for group in rounds(topology, current):
            found |= _round(witness, {path: relay for path, relay in current.items() if relay in group})
        left = [node for node in left if node.path in found and not found[node.path].is_proof]
        if not left:
            break
    return found


def first_of(seen: Mapping[str, Any]) -> str | None:
    """The relay (computer name) that an agent tries first, by its status."""
    relays: Sequence[str] = seen["relays"]
    return relays[0] if relays else None


def _round(witness: Witness, current: Mapping[str, str]) -> dict[str, Lack]:
    """What updates of these agents come to while no content comes through the relays that they use, all at once."""
    relays = list(dict.fromkeys(current.values()))
    with contentless(witness, relays), ThreadPoolExecutor(8) as pool:
        together(witness, current, FORGET)
        replies = dict(zip(current, pool.map(lambda path: witness.run(path, UPDATE, "update"), current), strict=True))
        broken_off = together(witness, relays, COUNT)
    return {path: _lack(relay, replies[path], int(broken_off[relay])) for path, relay in current.items()}


def _lack(relay: str, reply: Ran, broken_off: int) -> Lack:
    """What an update came to by its own reply: the agent's status may be of an update of its own after that."""
    said = reply_of(reply)
    source, via = said.get("update_source"), said.get("update_via_relay")
    return Lack(relay, said.get("outcome", ""), complaint_of(reply), source, via, broken_off)


@contextmanager
def contentless(witness: Witness, relays: Collection[str]) -> Iterator[None]:
    """Through these relays (paths) agents get to their handlers, and no content gets to them."""
    with witness.journal.undone_by(*(Undo(path, UNBAR, "content through the relay barred") for path in relays)):
        together(witness, relays, BAR)
        yield


def lack_troubles(topology: Topology, node: Node, lack: Lack | None) -> list[tuple[str, str]]:
    """What is wrong with what an agent did while its current relay lacked the content, as (expected, observed)."""
    if lack is None:
        wanted = f"{node.path}: takes content through another relay while its current one lacks it"
        return [
            (wanted, "it could not be tried: it uses none of the relays of its segments, or gets no content at all")
        ]
    others = [relay.name for relay in facts.relays_for(topology, node) if relay.path != lack.relay]
    names = " or ".join(others)
    wanted = f"{node.path}: takes content through {names} while none comes through {lack.relay}, its current relay"
    if lack.complaint:
        return [(wanted, f"the update ended with: {lack.complaint}")]
    took = f"it took it from {lack.source} through {lack.via or 'no relay'} ({lack.outcome})"
    if lack.via in others and lack.is_proof:
        return []
    return [(wanted, f"{took}; {lack.relay} broke off content {lack.broken_off} times")]
