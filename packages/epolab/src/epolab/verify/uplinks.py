"""Which interfaces lead out of a lab, and what that says about changes of the host's network (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KINDS = {"loopback", "veth", "bridge", "tun"}
SHOWN = 10

Place = Mapping[str, Any]


def leading_away(place: Place) -> list[Mapping[str, Any]]:
    """The interfaces of a surveyed place whose other end is not in the lab."""
    return [interface for interface in place["interfaces"] if _leads_away(interface)]


def strays(path: str, place: Place) -> list[tuple[str, str]]:
    """Interfaces of a place whose other end is not in the lab, as (expected, observed)."""
    return [
        (f"{path}: the other end of {interface['name']} is in this lab", where(interface))
        for interface in leading_away(place)
    ]


def _leads_away(interface: Mapping[str, Any]) -> bool:
    if interface["kind"] not in KINDS:
        return True
    return interface["kind"] in {"veth", "tun"} and (interface["peer"] or {}).get("path", "host") == "host"


def where(interface: Mapping[str, Any]) -> str:
    """Where an interface leads, for people."""
    peer = interface["peer"]
    end = f"in {peer['path']}" if peer else "in no namespace of this lab"
    return f"{interface['name']} ({interface['kind']}) has its other end {end}"


def host_changes(told: Sequence[str], seen: Mapping[str, Place], lab: str) -> str:
    """What changed on the host, whether it can be of this lab, and what to do if it is not."""
    changes = "; ".join(told[:SHOWN]) + (f"; and {len(told) - SHOWN} more" if len(told) > SHOWN else "")
    own = [f"{path}: {where(interface)}" for path, place in seen.items() for interface in leading_away(place)]
    if own:
        return f"{changes}. This lab leads out: {'; '.join(own)}"
    return (
        f"{changes}. No interface of this lab leads to the host, so somebody else changed it; if that is to stay, "
        f"`epolab down {lab}` and `epolab up` note the host's network anew"
    )
