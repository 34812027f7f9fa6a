"""The properties an agent reports: columns of EPOComputerProperties (domain §7.5) and dotted product properties."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from miniepo.config import AgentConfig
from miniepo.wire.interfaces import Interface, read_interfaces


@dataclass(frozen=True, slots=True)
class Machine:
    """What was read from the node; sizes in bytes."""

    os_version: str
    architecture: str
    cpu: str
    cpus: int
    memory_total: int
    memory_free: int
    disk_total: int
    disk_free: int
    interfaces: tuple[Interface, ...]


def read_machine(disk: Path) -> Machine:
    """Read the node's properties from the kernel."""
    memory = _read_fields(Path("/proc/meminfo"))
    space = shutil.disk_usage(disk)
    return Machine(
        os_version=platform.release(),
        architecture=platform.machine(),
        cpu=_read_fields(Path("/proc/cpuinfo")).get("model name", platform.machine()),
        cpus=os.cpu_count() or 1,
        memory_total=_kibibytes(memory.get("MemTotal", "0 kB")),
        memory_free=_kibibytes(memory.get("MemAvailable", "0 kB")),
        disk_total=space.total,
        disk_free=space.free,
        interfaces=read_interfaces(),
    )


def _read_fields(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    pairs = (line.partition(":") for line in reversed(lines))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _kibibytes(text: str) -> int:
    return int(text.split()[0]) * 1024


def computer_properties(config: AgentConfig, machine: Machine) -> dict[str, str]:
    """The node's columns of EPOComputerProperties; memory in bytes, disks in MB (domain §7.5)."""
    return {
        "ComputerName": config.computer_name,
        "IPHostName": config.fqdn,
        "DomainName": "(none)",
        "UserName": "root",
        "TimeZone": "UTC",
        "DefaultLangID": "0409",
        "OSType": config.platform,
        "OSPlatform": "Server",
        "OSVersion": machine.os_version,
        "OSBitMode": "1" if sys.maxsize > 2**32 else "0",
        "CPUType": machine.cpu,
        "NumOfCPU": str(machine.cpus),
        "TotalPhysicalMemory": str(machine.memory_total),
        "FreeMemory": str(machine.memory_free // 2**20 * 2**20),
        "TotalDiskSpace": str(machine.disk_total // 10**6),
        "FreeDiskSpace": str(machine.disk_free // 10**6),
        **_network(machine.interfaces),
    }


def _network(interfaces: tuple[Interface, ...]) -> dict[str, str]:
    lan = [each for each in interfaces if not each.is_loopback]
    found: dict[str, str] = {}
    for each in reversed(lan):
        if each.v4 is not None:
            found["IPAddress"] = str(each.v4.ip)
            found["IPSubnet"] = str(each.v4.network.network_address)
            found["IPSubnetMask"] = str(each.v4.network.netmask)
            found["NetAddress"] = each.mac.replace(":", "").upper()
        if each.global_v6:
            found["IPV6"] = str(each.global_v6[0])
    return found


def product_properties(installed: Mapping[str, str]) -> dict[str, str]:
    """Installed products and their versions."""
    return {f"Product.{product}.Version": version for product, version in installed.items()}
