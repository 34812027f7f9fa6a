"""Intervals that are valid, and with which the verdict takes long."""

from __future__ import annotations

from collections.abc import Iterator

from epolab.topology.draft import Draft
from epolab.topology.manage import seconds
from epolab.topology.policy_settings import PolicyFile
from epolab.topology.report import Located, Report
from epolab.yaml_file import Place

SLOW_ASCI_SECONDS = 60


def check_pace(draft: Draft, report: Report) -> None:
    """Warn of agents that call in so rarely that every check of what they do at a call-in waits for minutes."""
    for place, asci in _intervals(draft):
        if asci > SLOW_ASCI_SECONDS:
            report.warning(
                place,
                "asci-slow-verdict",
                f"with an ASCI of {asci:g} s the verdict takes long: it waits for several call-ins of each agent",
                f"use {SLOW_ASCI_SECONDS}s or less, unless the interval itself is what the lab is for",
            )


def _intervals(draft: Draft) -> Iterator[tuple[Place, float]]:
    """Every ASCI that is written, in seconds, and where."""
    if draft.file.asci is not None and draft.with_component("agent"):
        yield draft.file.asci.place, seconds(draft.file.asci.value, 0)
    for node in draft.written_nodes:
        if node.file.asci is not None and "agent" in node.components:
            yield node.file.asci.place, seconds(node.file.asci.value, 0)
    for policy in _agent_policies(draft):
        asci = policy.value.settings.get("asciSeconds")
        if isinstance(asci, int):
            yield policy.place, float(asci)


def _agent_policies(draft: Draft) -> Iterator[Located[PolicyFile]]:
    for policy in draft.management.policies.value if draft.management.policies else ():
        if policy.value.category is not None and policy.value.category.value == "agent":
            yield policy
