"""Which process of a namespace holds a TAP, as the kernel tells it: the other end of a virtual machine's card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PROC = Path("/proc")


def tap_holder(interface: str, inode: int, proc: Path = PROC) -> str | None:
    """The name of the process inside the namespace that holds the TAP; None if nobody in there does."""
    for process in _processes_in(inode, proc):
        if interface in _taps_held(process):
            return (process / "comm").read_text().strip()
    return None


def _processes_in(inode: int, proc: Path) -> Iterator[Path]:
    for process in proc.glob("[0-9]*"):
        try:
            here = (process / "ns/net").stat().st_ino == inode
        except OSError:  # it has ended, or is not ours to look at
            continue
        if here:
            yield process


def _taps_held(process: Path) -> set[str]:
    """The kernel writes `iff:` and the interface's name into the descriptors of /dev/net/tun."""
    held = set()
    for descriptor in (process / "fdinfo").glob("*"):
        try:
            lines = descriptor.read_text().splitlines()
        except OSError:  # closed meanwhile
            continue
        held |= {line.partition(":")[2].strip() for line in lines if line.startswith("iff:")}
    return held
