"""What one node of a lab is: its place, its components, its interfaces and routes."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Literal

ZONE = "test"

Kind = Literal["container", "vm"]


@dataclass(frozen=True, slots=True)
class Interface:
    """One network interface; it belongs to a segment or to a WAN link, never to both."""

    name: str
    segment: str | None
    link: str | None
    mac: str
    ipv4: IPv4Interface
    ipv6: IPv6Interface

    @property
    def cidrs(self) -> tuple[str, str]:
        """Both addresses with their prefix lengths, IPv4 first."""
        return (str(self.ipv4), str(self.ipv6))


@dataclass(frozen=True, slots=True)
class Route:
    """A static route: destination in CIDR text, next hop in address text, of one family."""

    destination: str
    via: str

    @property
    def family(self) -> Literal[4, 6]:
        """The address family of the route."""
        return 6 if ":" in self.via else 4


@dataclass(frozen=True, slots=True)
class Node:
    """One container or VM of the lab."""

    site: str
    name: str
    kind: Kind
    components: tuple[str, ...]
    interfaces: tuple[Interface, ...]
    routes: tuple[Route, ...]
    asci_seconds: float
    version: str
    memory_mib: int
    image: str | None

    @property
    def path(self) -> str:
        """The node's name in the lab, such as `tokyo/pc-1`."""
        return f"{self.site}/{self.name}"

    @property
    def fqdn(self) -> str:
        """The node's name in the lab's DNS, such as `pc-1.tokyo.test`."""
        return f"{self.name}.{self.site}.{ZONE}"

    @property
    def ipv4(self) -> IPv4Address:
        """The address of the first interface."""
        return self.interfaces[0].ipv4.ip

    @property
    def ipv6(self) -> IPv6Address:
        """The address of the first interface."""
        return self.interfaces[0].ipv6.ip

    def has(self, component: str) -> bool:
        """Whether the node carries a component, such as `agent`."""
        return component in self.components
