"""Agents that call in rarely for the length of a check, so that a call-in has another cause than the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from epolab.errors import WorldError
from epolab.hands.until import seconds
from epolab.model.node import Node
from epolab.verify.agents import becomes
from epolab.verify.policy_change import Settings, assigned, names_of
from epolab.verify.witness import Witness

SLOW_ASCI_SECONDS = 300.0
POLICY = "Verdict: rare calls"
AGENTS_AT_A_TIME = 8
LEAST_LIMIT_SECONDS = 60.0
NOTHING_MORE: Settings = {}


@contextmanager
def slowed(witness: Witness, nodes: Sequence[Node], more: Settings = NOTHING_MORE) -> Iterator[dict[str, str]]:
    """Let these agents call in every 300 s only; gives what is wrong with those that do not, by node path.

    `more` is what else their policy says meanwhile. Afterwards they have their own policy again, and enforce it:
    WorldError names those that do not.
    """
    if not nodes:
        yield {}
        return
    changes = {node.path: {**more, "asciSeconds": SLOW_ASCI_SECONDS} for node in nodes}
    with assigned(witness, POLICY, changes, wake=True):
        witness.api("system.wakeupAgent", names=names_of(nodes))
        yield not_become(witness, nodes, {node.path: SLOW_ASCI_SECONDS for node in nodes})
    left = not_become(witness, nodes, {node.path: node.asci_seconds for node in nodes})
    if left:
        raise WorldError("; ".join(left.values()))


def not_become(witness: Witness, nodes: Sequence[Node], asci_seconds: Mapping[str, float]) -> dict[str, str]:
    """Wait, once for all, until each agent enforces its interval; those that do not by then, in words, by node path."""
    limit = max(LEAST_LIMIT_SECONDS, *(4 * node.asci_seconds for node in nodes))
    end = seconds() + limit

    def trouble(node: Node) -> str:
        wanted = asci_seconds[node.path]
        left = max(0.0, end - seconds())
        if becomes(witness, node.path, lambda seen: bool(seen["asci_seconds"] == wanted), left) is not None:
            return ""
        return f"{node.path} does not enforce an ASCI of {wanted:g} s within {limit:g} s"

    with ThreadPoolExecutor(AGENTS_AT_A_TIME) as pool:
        told = {node.path: text for node, text in zip(nodes, pool.map(trouble, nodes), strict=True)}
    return {path: text for path, text in told.items() if text}
