"""Agents that call in rarely for the length of a check, so that a call-in has another cause than the time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from epolab.errors import WorldError
from epolab.model.node import Node
from epolab.verify.agents import becomes
from epolab.verify.policy_change import assigned, names_of
from epolab.verify.witness import Witness

SLOW_ASCI_SECONDS = 300.0
POLICY = "Verdict: rare calls"


@contextmanager
def slowed(witness: Witness, nodes: Sequence[Node]) -> Iterator[None]:
    """Let these agents call in every 300 s only; afterwards they have their own policy again, and enforce it."""
    if not nodes:
        yield
        return
    changes = {node.path: {"asciSeconds": SLOW_ASCI_SECONDS} for node in nodes}
    with assigned(witness, POLICY, changes, wake=True):
        witness.api("system.wakeupAgent", names=names_of(nodes))
        all_become(witness, nodes, {node.path: SLOW_ASCI_SECONDS for node in nodes})
        yield
    all_become(witness, nodes, {node.path: node.asci_seconds for node in nodes})


def all_become(witness: Witness, nodes: Sequence[Node], asci_seconds: dict[str, float]) -> None:
    """Wait until each agent enforces its interval (by node path); WorldError when one does not."""
    for node in nodes:
        wanted = asci_seconds[node.path]
        limit = max(60.0, 4 * node.asci_seconds)
        if becomes(witness, node.path, lambda seen, wanted=wanted: seen["asci_seconds"] == wanted, limit) is None:  # type: ignore[misc]
            raise WorldError(f"{node.path} does not enforce an ASCI of {wanted:g} s within {limit:g} s")
