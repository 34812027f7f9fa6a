"""Who holds a file's lock, by the kernel's own list."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")
_KIND, _PID, _FILE = 1, 4, 5


def holders(descriptor: int) -> str:
    """The processes that hold a lock of this open file, in words; `another command` if the kernel names none."""
    try:
        lines = (_PROC / "locks").read_text().splitlines()
    except OSError:  # some kernels keep it from us
        lines = []
    pids = pids_of(lines, os.fstat(descriptor).st_ino)
    return " and ".join(f"process {pid}{_command(pid)}" for pid in pids) or "another command"


def pids_of(lines: Iterable[str], inode: int) -> list[int]:
    """The processes that hold, and do not only await, a lock of the file with this inode; proc(5) has the lines."""
    found = set()
    for line in lines:
        words = line.split()
        if len(words) > _FILE and words[_KIND] == "FLOCK" and words[_FILE].rpartition(":")[2] == str(inode):
            found.add(int(words[_PID]))
    return sorted(pid for pid in found if pid > 0)  # of another container's processes the kernel tells no number


def _command(pid: int) -> str:
    try:
        words = (_PROC / str(pid) / "cmdline").read_text(errors="replace").rstrip("\0").split("\0")
    except OSError:
        return ""
    if Path(words[0]).name.startswith("python"):
        words = words[1:]
    shown = " ".join([Path(words[0]).name, *words[1:]])[:100] if words else ""
    return f" ({shown})" if shown else ""
