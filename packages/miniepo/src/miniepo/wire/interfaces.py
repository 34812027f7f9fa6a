"""Which interfaces and addresses this node has, read from the kernel without netlink."""

from __future__ import annotations

import fcntl
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from pathlib import Path

_SIOCGIFADDR = 0x8915
_SIOCGIFNETMASK = 0x891B
_LOOPBACK = "lo"


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface with its IPv4 address (if any) and its IPv6 ones."""

    name: str
    index: int
    mac: str
    v4: IPv4Interface | None
    v6: tuple[IPv6Interface, ...]

    @property
    def is_loopback(self) -> bool:
        return self.name == _LOOPBACK

    @property
    def has_v6(self) -> bool:
        """Whether IPv6 multicast makes sense here."""
        return bool(self.v6) and not self.is_loopback

    @property
    def broadcasts_v4(self) -> tuple[str, ...]:
        """The broadcast address of the interface's segment."""
        if self.v4 is None or self.is_loopback or self.v4.network.prefixlen > 30:
            return ()
        return (str(self.v4.network.broadcast_address),)

    @property
    def global_v6(self) -> tuple[IPv6Address, ...]:
        """The IPv6 addresses that mean something off the link."""
        return tuple(each.ip for each in self.v6 if not each.is_link_local and not each.is_loopback)


def read_interfaces() -> tuple[Interface, ...]:
    """Every interface of this network namespace."""
    v6 = _read_v6(Path("/proc/net/if_inet6"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        return tuple(
            Interface(name, index, _mac(name), _read_v4(asking, name), v6.get(name, ()))
            for index, name in socket.if_nameindex()
        )


def addresses(interfaces: tuple[Interface, ...]) -> tuple[str, ...]:
    """The addresses by which others can reach this node, IPv4 first."""
    lan = [each for each in interfaces if not each.is_loopback]
    v4 = [str(each.v4.ip) for each in lan if each.v4 is not None]
    return (*v4, *(str(address) for each in lan for address in each.global_v6))


def networks(interfaces: tuple[Interface, ...]) -> tuple[IPv4Interface | IPv6Interface, ...]:
    """The node's own addresses with the segments that they lie in."""
    lan = [each for each in interfaces if not each.is_loopback]
    v4 = [each.v4 for each in lan if each.v4 is not None]
    v6 = [address for each in lan for address in each.v6 if not address.is_link_local]
    return (*v4, *v6)


def _read_v4(asking: socket.socket, name: str) -> IPv4Interface | None:
    request = struct.pack("256s", name.encode()[:15])
    try:
        address = fcntl.ioctl(asking.fileno(), _SIOCGIFADDR, request)[20:24]
        mask = fcntl.ioctl(asking.fileno(), _SIOCGIFNETMASK, request)[20:24]
    except OSError:
        return None
    return IPv4Interface(f"{IPv4Address(address)}/{IPv4Address(mask)}")


def _read_v6(path: Path) -> dict[str, tuple[IPv6Interface, ...]]:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return {}
    found: dict[str, tuple[IPv6Interface, ...]] = {}
    for line in lines:
        digits, _, prefix, _, _, name = line.split()
        address = IPv6Interface((bytes.fromhex(digits), int(prefix, 16)))
        found[name] = (*found.get(name, ()), address)
    return found


def _mac(name: str) -> str:
    path = Path("/sys/class/net") / name / "address"
    return path.read_text(encoding="ascii").strip() if path.exists() else ""
