"""What the firewall of a site is, and what one exception in a node's own firewall is."""

from dataclasses import dataclass
from typing import Literal

ANY = "any"

Action = Literal["allow", "deny"]
Protocol = Literal["tcp", "udp"]


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """One rule of a site's router; names are `site`, `site/node` or `any`; no ports means all ports."""

    action: Action
    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    protocol: str | None
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SiteFirewall:
    """The FORWARD chain of a site's router: first matching rule wins, established connections always pass."""

    default: Action = "allow"
    rules: tuple[FirewallRule, ...] = ()


@dataclass(frozen=True, slots=True)
class FirewallException:
    """One thing a node's own INPUT chain lets in, in both families; sources are CIDR text."""

    protocol: Protocol
    port: int
    sources_v4: tuple[str, ...]
    sources_v6: tuple[str, ...]
    owner: str | None
    reason: str
