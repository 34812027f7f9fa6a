"""How reported properties become columns of EPOComputerProperties, and which roles they show (domain §7.5)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

TEXT_COLUMNS = (
    "ComputerName",
    "Description",
    "SystemDescription",
    "TimeZone",
    "DefaultLangID",
    "UserName",
    "DomainName",
    "IPHostName",
    "IPAddress",
    "IPSubnet",
    "IPSubnetMask",
    "SubnetAddress",
    "SubnetMask",
    "NetAddress",
    "OSType",
    "OSVersion",
    "OSServicePackVer",
    "OSPlatform",
    "OSOEMID",
    "CPUType",
    "UserProperty1",
    "UserProperty2",
    "UserProperty3",
    "UserProperty4",
)
NUMBER_COLUMNS = (
    "OSBuildNum",
    "CPUSpeed",
    "NumOfCPU",
    "TotalPhysicalMemory",
    "FreeMemory",
    "FreeDiskSpace",
    "TotalDiskSpace",
    "IsPortable",
    "Vdi",
    "OSBitMode",
    "SysvolFreeSpace",
    "SysvolTotalSpace",
)
_DEFAULTS = {"SystemDescription": "N/A"}
_MAX_TEXT = 1000
_MAX_NUMBER = {"OSBuildNum": 2**31 - 1, "CPUSpeed": 2**31 - 1, "NumOfCPU": 2**31 - 1}


@dataclass(frozen=True, slots=True)
class Roles:
    """What an agent's properties say that it is, beside an agent."""

    superagent_repository: bool
    superagent_port: int
    relay: bool


def columns(received: dict[str, str]) -> dict[str, str | int | None]:
    """Every column of EPOComputerProperties that an agent fills, from all that it has reported."""
    values: dict[str, str | int | None] = {}
    for name in TEXT_COLUMNS:
        values[name] = received.get(name, _DEFAULTS.get(name, ""))[:_MAX_TEXT]
    for name in NUMBER_COLUMNS:
        values[name] = _number(received.get(name, "0"), _MAX_NUMBER.get(name, 2**63 - 1))
    values["IPV4x"] = ipv4x(received.get("IPAddress", ""))
    values["IPV6"] = ipv6_text(received.get("IPV6", ""), received.get("IPAddress", ""))
    return values


def merged(before: dict[str, str], values: dict[str, str], full: bool) -> dict[str, str]:
    """What is known after a PROPS (full) or an INC PROPS package."""
    return dict(values) if full else {**before, **values}


def roles(received: dict[str, str]) -> Roles:
    """The roles in force, as the agent reports them."""
    superagent = received.get("SuperAgent.Enabled") == "1" and received.get("SuperAgent.Repository") == "1"
    port = _number(received.get("SuperAgent.Port", "8081"), 65535) or 8081
    return Roles(superagent, port, received.get("Relay.Enabled") == "1")


def ipv4x(address: str) -> int | None:
    """The unsigned IPv4 number minus 2**31 (192.168.1.102 → 1084752230, domain §7.5); None if there is no address."""
    try:
        return int(ipaddress.IPv4Address(address)) - 2**31
    except ValueError:
        return None


def ipv6_text(address_v6: str, address_v4: str) -> str:
    """The IPV6 column: the IPv6 address if there is one, else the v4-mapped form `0:0:0:0:0:FFFF:A78:21F1`."""
    try:
        return str(ipaddress.IPv6Address(address_v6.partition("%")[0]))
    except ValueError:
        pass
    try:
        number = int(ipaddress.IPv4Address(address_v4))
    except ValueError:
        return ""
    return f"0:0:0:0:0:FFFF:{number >> 16:X}:{number & 0xFFFF:X}"


def _number(text: str, limit: int) -> int:
    return min(int(text), limit) if text.isascii() and text.isdigit() else 0
