"""Whose labs these are, and which lab or node a person means."""

from __future__ import annotations

import getpass
import os
import re
from collections.abc import Iterable, Sequence

from epolab.errors import ArgumentError, LabAmbiguousError, LabNameError, LabNotFoundError, NodeNotFoundError

_LAB_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


def owner_name() -> str:
    """Whose labs this command makes and removes: EPOLAB_OWNER, else the user's name."""
    return os.environ.get("EPOLAB_OWNER") or getpass.getuser()


def checked_lab_name(name: str) -> str:
    """The name, if it may be one; LabNameError if not."""
    if _LAB_NAME.fullmatch(name) is None:
        raise LabNameError(f"{name!r} cannot be a lab's name: it must match [a-z][a-z0-9-]{{0,30}}")
    return name


def pick_lab(wanted: str | None, labs: Iterable[str]) -> str:
    """The lab that is meant; without a name there must be exactly one."""
    names = sorted(labs)
    if wanted is not None:
        if wanted not in names:
            raise LabNotFoundError(f"there is no lab {checked_lab_name(wanted)!r}")
        return wanted
    if not names:
        raise LabNotFoundError("there is no lab", hint="epolab up FILE")
    if len(names) > 1:
        raise LabAmbiguousError(f"there are {len(names)} labs: name one of {', '.join(names)}")
    return names[0]


def split_node(text: str) -> tuple[str | None, str]:
    """`LAB:NODE` or `NODE` as (lab, node)."""
    lab, colon, node = text.rpartition(":")
    if not node:
        raise ArgumentError(f"{text!r} names no node")
    return (lab if colon else None), node


def pick_node(wanted: str, paths: Sequence[str], lab: str) -> str:
    """The path of the node that is meant: `site/node`, or `node` when only one site has it."""
    found = [path for path in paths if wanted in (path, path.partition("/")[2])]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NodeNotFoundError(f"lab {lab} has no node {wanted!r}", hint=f"epolab inspect {lab}")
    raise NodeNotFoundError(f"{wanted!r} may be {' or '.join(found)}: say which")


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(text: str) -> float:
    """Seconds in a duration such as `90s`, `30m`, `4h` or `2d`."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smhd])", text)
    if match is None or float(match[1]) <= 0:
        raise ArgumentError(f"{text!r} is no duration: write it like 90s, 30m, 4h or 2d")
    return float(match[1]) * _UNITS[match[2]]
