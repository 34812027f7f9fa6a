"""How reported properties become columns of EPOComputerProperties, and which roles they show (domain §7.5)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from miniepo.protocol.messages import LONGEST_PROPERTIES, LONGEST_PROPERTY, MOST_PROPERTIES

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
_MAX_DIGITS = 20
_MAX_PORT_DIGITS = 5
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
    address = received.get("IPAddress", "")
    values["IPV4x"] = ipv4x(address)
    values["IPAddress"] = address if values["IPV4x"] is not None else address_text(address)
    values["IPV6"] = ipv6_text(received.get("IPV6", ""), address)
    return values


def merged(before: dict[str, str], values: dict[str, str], full: bool) -> dict[str, str]:
    """What is known after a PROPS (full) or an INC PROPS package."""
    return dict(values) if full else {**before, **values}


def excess(values: dict[str, str]) -> str:
    """Why these are more properties than an agent may have; "" if they are not."""
    if len(values) > MOST_PROPERTIES:
        return f"{len(values)} properties, and {MOST_PROPERTIES} are the most"
    together = len("".join(values)) + len("".join(values.values()))
    if together > LONGEST_PROPERTIES:
        return f"properties of more than {LONGEST_PROPERTIES} characters together"
    if together > LONGEST_PROPERTY and max(map(len, (*values, *values.values()))) > LONGEST_PROPERTY:
        return f"a property of more than {LONGEST_PROPERTY} characters"
    return ""


def roles(received: dict[str, str]) -> Roles:
    """The roles in force, as the agent reports them."""
    superagent = received.get("SuperAgent.Enabled") == "1" and received.get("SuperAgent.Repository") == "1"
    return Roles(superagent, port_in(received.get("SuperAgent.Port", "")), received.get("Relay.Enabled") == "1")


def port_in(text: str, default: int = 8081) -> int:
    """The port that an agent's text is, else the default."""
    plain = len(text) <= _MAX_PORT_DIGITS and text.isascii() and text.isdigit()
    return int(text) if plain and 0 < int(text) < 65536 else default


def address_text(text: str) -> str:
    """The IPAddress column: an address or nothing, for a name there would answer for the system that it names."""
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


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
    return min(int(text[:_MAX_DIGITS]), limit) if text.isascii() and text.isdigit() else 0
