"""How an agent must go on trying a handler that refuses it: IP, FQDN, NetBIOS, six rounds of them (pure).

What stayed silent or has no address is not tried again in the same communication; a handler's NetBIOS name has one at
the handler's own site only, where it stands in the search domain. All rounds are made unless the next call-in is near;
the first one always is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import HTTPS
from epolab.model.topology import Topology

ROUNDS = 6
KINDS = ("IP", "FQDN", "NetBIOS")
_NOT_AGAIN = ("silent", "unresolved")

Attempt = Mapping[str, Any]
Broken = list[tuple[str, str]]


def round_troubles(topology: Topology, node: Node, attempts: Sequence[Attempt]) -> Broken:
    """What is wrong with the attempts (rows of `last_attempts` of the agent's status) of one that is refused."""
    handlers = facts.handler_order(topology, node)
    of_handler = {handler: [row for row in attempts if row["handler"] == _site(handler)] for handler in handlers}
    broken = [wrong for handler, rows in of_handler.items() for wrong in _wrong_attempts(node, handler, rows)]
    if not broken and not any(_left(rows) == [] for rows in of_handler.values()):
        counts = ", ".join(f"{len(rows)} at {handler.path}" for handler, rows in of_handler.items())
        broken = [
            (f"{node.path}: tries a handler that refuses it in {ROUNDS} rounds", f"{node.path}: it tried {counts}")
        ]
    return broken


def _site(handler: Node) -> str:
    return f"ePO_{handler.name.upper()}"


def _wrong_attempts(node: Node, handler: Node, rows: Sequence[Attempt]) -> Broken:
    wanted = f"{node.path}: tries {handler.path} by {', '.join(KINDS)}, in this order in each round"
    left = _left(rows)
    if left is None or (left and left[0][0] == 1):
        return [(wanted, f"{node.path}: it tried {_in_words(rows)}")]
    return [
        (f"{node.path}: tries {handler.path} by {row['kind']} at {_due_words(handler, row['kind'])}", _in_words([row]))
        for row in rows
        if not _is_right(node, handler, row)
    ]


def _left(rows: Sequence[Attempt]) -> list[tuple[int, str]] | None:
    """What should come after these attempts, as (round, kind); None when another should have come before."""
    left = [(number, kind) for number in range(1, ROUNDS + 1) for kind in KINDS]
    for row in rows:
        if not left or left.pop(0) != (row["round"], row["kind"]):
            return None
        if row["outcome"] in _NOT_AGAIN:
            left = [each for each in left if each[1] != row["kind"]]
    return left


def _is_right(node: Node, handler: Node, row: Attempt) -> bool:
    has_address = row["kind"] != "NetBIOS" or handler.site == node.site
    outcome = "refused" if has_address else "unresolved"
    return row["outcome"] == outcome and {place.lower() for place in row["places"]} == _due(handler, row["kind"])


def _due(handler: Node, kind: str) -> set[str]:
    """Where a handler is tried."""
    due = {
        "IP": {f"{handler.ipv4}:{HTTPS}", f"[{handler.ipv6}]:{HTTPS}"},
        "FQDN": {f"{handler.fqdn}:{HTTPS}"},
        "NetBIOS": {f"{handler.name}:{HTTPS}"},
    }
    return due[kind]


def _due_words(handler: Node, kind: str) -> str:
    return " or ".join(sorted(_due(handler, kind)))


def _in_words(rows: Sequence[Attempt]) -> str:
    return ", ".join(f"{r['round']} {r['kind']} {' or '.join(r['places'])} {r['outcome']}" for r in rows) or "nothing"
