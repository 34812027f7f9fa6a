"""What the fabric calls its own devices: names that fit 15 characters and aliases that say what each is for."""

from __future__ import annotations

import hashlib


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def bridge_name(segment: str) -> str:
    """The bridge of a segment such as `tokyo/lan`."""
    return "br" + _digest(segment)


def port_name(node: str, interface: str) -> str:
    """The fabric's end of a node's interface."""
    return "ve" + _digest(f"{node} {interface}")


def segment_alias(segment: str) -> str:
    """What the bridge of a segment carries as its alias."""
    return f"segment {segment}"


def port_alias(node: str, interface: str) -> str:
    """What the fabric's end of a node's interface carries as its alias."""
    return f"port {node} {interface}"


def port_alias_prefix(node: str) -> str:
    """What the aliases of all ports of a node begin with."""
    return f"port {node} "
