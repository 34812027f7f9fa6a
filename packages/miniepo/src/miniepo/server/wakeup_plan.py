"""Decides who is called for a wake-up, and by whom: each agent by itself, or SuperAgents for their segments. Pure.

A SuperAgent wake-up goes to the SuperAgents of the segments in which the named systems are; each broadcasts there, and
all agents that hear it call in, also those that nobody named. Systems in segments without a SuperAgent are not woken
(domain §6.1; MA48 p69, EPO46 p151). A segment is what the agents report as their IPv4 network.

Which handler calls: with "use all handlers" the last one that the agent talked to is preferred, and after a short while
the first that asks for work has it; without it the last one has it to itself for as long as it lives (domain §4,
source S2; that nobody else comes in for a living one is [uncertain], `use_all_handlers` has it otherwise). An agent
before 4.5 answers its first handler only, so that nobody else is sent to it while that one lives; while it does not,
whoever asks first is, whose refusal tells at once why. An agent of 4.5 or later answers those of its site list, so that
"all handlers" are all of those.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from miniepo.store.systems import System
from miniepo.store.work import LISTENER, SUPERAGENT, WAKEUP


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the work queue to be; `segment` only for the kinds that are about one."""

    system: System
    kind: str
    segment: str = ""


@dataclass(frozen=True, slots=True)
class Unwoken:
    """What no call is made for, and why; `system` is None where there is no such system."""

    name: str
    reason: str
    system: System | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Jobs for handlers (and listeners to wait for), and the systems that nothing can be done for."""

    jobs: tuple[Job, ...]
    unwoken: tuple[Unwoken, ...]


def plan_direct(named: Sequence[System]) -> Plan:
    """Every agent by itself."""
    jobs = tuple(Job(system, WAKEUP) for system in named if system.guid is not None)
    return Plan(jobs, tuple(_unwoken(each, "the system has no agent") for each in named if each.guid is None))


def plan_broadcast(named: Sequence[System], everyone: Sequence[System]) -> Plan:
    """The SuperAgents of the named systems' segments, and who is expected to hear them."""
    by_segment: dict[str, list[System]] = {}
    for system in everyone:
        if is_superagent(system) and system.guid is not None and (segment := segment_of(system)):
            by_segment.setdefault(segment, []).append(system)
    wanted = dict.fromkeys(segment_of(system) for system in named if system.guid is not None)
    jobs = [Job(sa, SUPERAGENT, segment) for segment in wanted for sa in by_segment.get(segment, [])]
    called = {job.system.id for job in jobs}
    unwoken: list[Unwoken] = []
    for system in named:
        segment = segment_of(system)
        if system.guid is None:
            unwoken.append(_unwoken(system, "the system has no agent"))
        elif not by_segment.get(segment):
            unwoken.append(_unwoken(system, f"there is no SuperAgent in its segment {segment or '(unknown)'}"))
        elif system.id not in called:
            jobs.append(Job(system, LISTENER, segment))
    return Plan(tuple(jobs), tuple(unwoken))


def _unwoken(system: System, reason: str) -> Unwoken:
    return Unwoken(system.name, reason, system)


def is_superagent(system: System) -> bool:
    """Whether the agent says that it is a SuperAgent."""
    return system.properties.get("SuperAgent.Enabled") == "1"


def segment_of(system: System) -> str:
    """The IPv4 network that an agent reports, "" if it reports none."""
    address, mask = system.properties.get("IPAddress", ""), system.properties.get("IPSubnetMask", "")
    try:
        return str(ipaddress.IPv4Interface(f"{address}/{mask}").network)
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which handler is to do a job (None = whoever asks first), and how strictly."""

    handler_id: int | None
    held: str = "alive"
    """`alive`: others may come in when that handler is silent; `grace`: also after a short while; `only`: never."""


def choose_caller(
    system: System, alive: Collection[int], use_all_handlers: bool, first_handler_only: bool, first_handler: int | None
) -> Choice:
    """Which handler calls an agent; `alive` are the handlers that live, by number."""
    if first_handler_only:
        return Choice(first_handler, "only") if first_handler is not None else Choice(None)
    if system.last_handler_id is None or system.last_handler_id not in alive:
        return Choice(None)
    return Choice(system.last_handler_id, "grace" if use_all_handlers else "alive")
