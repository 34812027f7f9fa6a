"""Decides which systems an agent is pushed to, by their NetBIOS names alone (domain §6.1, source S2). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from miniepo.server.wakeup_plan import Job, Plan, Unwoken
from miniepo.store.systems import System
from miniepo.store.work import PUSH

_NETBIOS = re.compile(r"[A-Za-z0-9!@#$%^&()_'{}~][A-Za-z0-9!@#$%^&()_'{}~-]{0,14}")


def is_netbios(name: str) -> bool:
    """Whether a name can be a NetBIOS name; a name with a dot is a DNS name, or an address."""
    return _NETBIOS.fullmatch(name) is not None


def push_target(system: System) -> str:
    """The name that a push goes to. The agent may have reported it: `is_netbios` holds for it, or nothing is sent."""
    return system.computer_name or system.name


def plan_push(names: Sequence[str], systems: Sequence[System]) -> Plan:
    """A job for each name that one system of the System Tree has, in any case; what is wrong with the others.

    A name that two systems have leads to one of them only, nobody knows to which: neither is taken.
    """
    jobs: list[Job] = []
    unwoken: list[Unwoken] = []
    for name in {name.lower(): name for name in reversed(names)}.values():
        found = [each for each in systems if name.lower() in (each.computer_name.lower(), each.name.lower())]
        if not is_netbios(name):
            unwoken.append(Unwoken(name, f"{name} is no NetBIOS name, and push install uses NetBIOS names only"))
        elif not found:
            unwoken.append(Unwoken(name, f"no system of the System Tree has the NetBIOS name {name}"))
        elif len(found) > 1:
            unwoken.append(Unwoken(name, f"{len(found)} systems have the NetBIOS name {name}"))
        elif not is_netbios(push_target(found[0])):
            unwoken.append(Unwoken(name, f"{name} calls itself {push_target(found[0])}, which is no NetBIOS name"))
        else:
            jobs.append(Job(found[0], PUSH))
    return Plan(tuple(jobs), tuple(unwoken))
