"""What one node of a lab is: its place, its components, its interfaces and routes."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Literal

ZONE = "test"

RELAYS_SINCE = (4, 8)
ALL_HANDLERS_SINCE = (4, 5)
NO_RELAY_ON = "AIX"

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


def can_relay(version: str, platform: str) -> bool:
    """Whether an agent of a version on a platform may be a relay."""
    return platform != NO_RELAY_ON and tuple(int(part) for part in version.split(".")[:2]) >= RELAYS_SINCE


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
    swarm: int = 0
    """How many agents run in one process of the node; 0 is no swarm."""
    platform: str = "Linux"
    """What the node's agent says that it runs on."""

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

    @property
    def can_relay(self) -> bool:
        """Whether the node's agent may be a relay: from 4.8 on, and not on AIX [source S1]."""
        return can_relay(self.version, self.platform)

    @property
    def looks_for_relays(self) -> bool:
        """Whether the node's agent may live behind a relay: from 4.8 on, on every platform [source S1]."""
        return can_relay(self.version, "")

    @property
    def answers_all_handlers(self) -> bool:
        """Whether the node's agent answers every handler of its site list: from 4.5 on, older ones the first alone."""
        return tuple(int(part) for part in self.version.split(".")[:2]) >= ALL_HANDLERS_SINCE

    def has(self, component: str) -> bool:
        """Whether the node carries a component, such as `agent`."""
        return component in self.components
