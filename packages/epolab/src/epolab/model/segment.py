"""What one L2 segment of a site is: its name and its two networks."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network


@dataclass(frozen=True, slots=True)
class Segment:
    """One broadcast domain of a site, dual stack."""

    site: str
    name: str
    ipv4: IPv4Network
    ipv6: IPv6Network

    @property
    def path(self) -> str:
        """The segment's name in the lab, such as `tokyo/lan`."""
        return f"{self.site}/{self.name}"
