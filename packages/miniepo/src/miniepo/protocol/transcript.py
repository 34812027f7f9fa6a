"""What a trainee reads of a session: each message by the name of its package, as a 4.6 agent was recorded (domain §4).

PROPS VERSION, REQUEST PROPS, INC PROPS and POLICY are recorded names; the others are miniepo's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from miniepo.protocol.messages import Events, EventsAccepted, Package, Props, Refused, RequestProps

_SHOWN_NAMES = 12
_WORDS = {"Enforced": "ENFORCED", "Enrol": "ENROL", "Enrolled": "ENROLLED", "PropsVersion": "PROPS VERSION"}


def name_of(message: Any) -> str:
    """A message's name, with what it is about in parentheses."""
    match message:
        case Props(kind="full"):
            return f"PROPS ({len(message.values)})"
        case Props():
            return f"INC PROPS ({_listed(sorted(message.values))})"
        case RequestProps():
            return "REQUEST PROPS"
        case Package():
            return f"POLICY ({_listed(_parts(message))})"
        case Events():
            return f"EVENTS ({len(message.events)})"
        case EventsAccepted():
            return f"EVENTS ACCEPTED ({len(message.keys)})"
        case Refused():
            return f"REFUSED ({message.code})"
    kind = type(message).__name__
    return _WORDS.get(kind, kind.upper())


def _parts(package: Package) -> list[str]:
    parts = {"policies": package.policies, "tasks": package.tasks, "site list": package.sitelist}
    return [name for name, part in parts.items() if part is not None]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return (", ".join(names[:_SHOWN_NAMES]) or "nothing") + more
