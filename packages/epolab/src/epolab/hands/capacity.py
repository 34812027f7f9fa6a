"""What this host has left to give: memory, disk and devices."""

from __future__ import annotations

import shutil
from pathlib import Path


def free_memory_mib() -> int:
    """Memory that new processes can have without swapping, in MiB."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) // 1024
    raise RuntimeError("/proc/meminfo has no MemAvailable")


def free_disk_mib(folder: Path) -> int:
    """Room where a folder lies, in MiB."""
    return shutil.disk_usage(folder).free // 1024**2


def has_tun() -> bool:
    """Whether the host has the device that a shaped link is made of."""
    return Path("/dev/net/tun").exists()
