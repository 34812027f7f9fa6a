"""Whether an agent made its first call when it had drawn it to come, and draws it at random, by its own log (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import prod

START = re.compile(r"(\S+) \S+ agent\.caller first call in ([\d.]+) s, drawn from the first ([\d.]+) s")
BEGINS = "first call begins"
LOGGED_SECONDS = 0.001
EARLY_SECONDS, EARLY_SHARE = 0.002, 0.01
"""The log has thousandths, and a clock that is being set goes faster or slower than the one that agents wait by."""
LATE_SECONDS = 15.0
"""How long a machine that has much else to do may hold up a call that is due."""
BY_CHANCE = 1e-5

Broken = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Start:
    """A start of an agent: when, in seconds since the epoch, and the moment it drew for its first call, from which
    window."""

    at: float
    drawn: float
    window: float


def starts_of(lines: Sequence[str]) -> list[Start]:
    """The starts that an agent's log tells of, in their order."""
    found = [START.match(line) for line in lines]
    return [Start(_when(each[1]), float(each[2]), float(each[3])) for each in found if each]


def _when(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def came_troubles(path: str, start: Start, came: str) -> Broken:
    """What is wrong with when the first call came: `came` is the line of the log that tells of the first call after
    the start, of that which was drawn as it began, of another as it ended."""
    wanted = f"{path}: makes its first call {start.drawn:.3f} s after its start, as it has drawn"
    if not came:
        return [(wanted, f"{path}: its log has no call since")]
    took = _when(came.partition(" ")[0]) - start.at
    if BEGINS not in came:
        ordered = took <= start.drawn + LATE_SECONDS
        return [] if ordered else [(wanted, f"{path}: it did not; another call had ended {took:.3f} s after it")]
    least = start.drawn * (1 - EARLY_SHARE) - EARLY_SECONDS
    return [] if least <= took <= start.drawn + LATE_SECONDS else [(wanted, f"{path}: it did after {took:.3f} s")]


def draw_troubles(path: str, own: Sequence[Start], last: Sequence[Start]) -> Broken:
    """What is wrong with how an agent draws: its own starts, in their order, and the last one of each agent."""
    broken = []
    for count in range(2, len(own) + 1):
        if alike(own[-count:]):
            told = f"{path}: its last {count} starts all drew {own[-1].drawn:.3f} s"
            broken.append((f"{path}: draws its first call at random", told))
            break
    if alike(last):
        told = f"all drew the same part of it, {path} {own[-1].drawn:.3f} s of {own[-1].window:.3f} s"
        broken.append((f"{path}: it and the other agents draw their first calls from the whole window", told))
    return broken


def alike(starts: Sequence[Start]) -> bool:
    """Whether all starts drew the same part of their windows, as far as the log tells it, and hardly by chance."""
    if not starts:
        return False
    first = max(starts, key=lambda start: start.window)
    others = list(starts)
    others.remove(first)
    apart = [_apart(first, other) for other in others]
    same = all(abs(_part(first) - _part(other)) <= width / 2 + 1e-9 for other, width in zip(others, apart, strict=True))
    return same and prod(apart) <= BY_CHANCE


def _part(start: Start) -> float:
    return start.drawn / start.window if start.window else 0.0


def _apart(first: Start, other: Start) -> float:
    """How likely two draws are the same in the log."""
    if not (first.window and other.window):
        return 1.0
    return min(1.0, LOGGED_SECONDS / first.window + LOGGED_SECONDS / other.window)
