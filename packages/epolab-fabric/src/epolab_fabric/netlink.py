"""The one door to pyroute2: a netlink socket of this thread's namespace, and what it raises."""

from __future__ import annotations

from pyroute2 import IPRoute  # type: ignore[import-untyped]
from pyroute2.netlink.exceptions import NetlinkError  # type: ignore[import-untyped]

__all__ = ["IPRoute", "NetlinkError"]
