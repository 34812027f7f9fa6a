"""Decides whether an agent may keep the GUID under which it calls in (domain §4, §4.1): pure.

The server tells an agent to regenerate its GUID when somebody asked for that, and when the GUID turns out to be on two
machines, as after a node was cloned with its agent. A clone shows itself at its first call: another computer name at
another network card; a renamed computer keeps its card, and one that got another card keeps its name. A clone that
kept both shows itself by the numbers that agents give to their calls: two that count on from the same number cannot
both rise. How the product counts and how often it looks on is [uncertain]; `SEQUENCE_ERRORS` says so here.
"""

from __future__ import annotations

from dataclasses import dataclass

SEQUENCE_ERRORS = 3
"""So many calls that do not count on are tolerated: a machine that was put back to a snapshot makes one, and so does a
call that a slow handler takes after another one has taken the next."""
FORGOTTEN_EVERY = 50
"""At every call with such a number errors are forgotten; two machines that share a GUID make theirs within a few."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Who calls in, or who is known under the GUID: computer name, hardware address, number of the (last) call."""

    name: str
    net_address: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why the agent must regenerate its GUID ("" = it need not), and the sequence errors there are now."""

    regenerate: str
    sequence_errors: int


def judge(known: Machine, calling: Machine, sequence_errors: int, asked_for: bool) -> Verdict:
    """Whether the machine that calls in may go on under the GUID of the known one."""
    if asked_for:
        return Verdict("a new GUID was asked for", sequence_errors)
    if _differ(known.name, calling.name) and _differ(known.net_address, calling.net_address):
        return Verdict(f"the GUID is that of {known.name}", sequence_errors)
    if not 0 < calling.sequence <= known.sequence:
        forgotten = calling.sequence > 0 and calling.sequence % FORGOTTEN_EVERY == 0
        return Verdict("", 0 if forgotten else sequence_errors)
    if sequence_errors >= SEQUENCE_ERRORS:
        return Verdict(f"{sequence_errors + 1} calls did not count on: the GUID may be on two machines", 0)
    return Verdict("", sequence_errors + 1)


def _differ(known: str, calling: str) -> bool:
    """Whether both are known and not the same."""
    return bool(known and calling) and known.lower() != calling.lower()
