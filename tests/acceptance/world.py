"""What is on this machine, below all labels: namespaces, mounts, links, processes, containers, volumes, files."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from tests.acceptance.lab import until
from tests.acceptance.places import files

PROC = Path("/proc")
# the runtime's helper processes of a removed container end a moment after the container
SETTLED_WITHIN_SECONDS = 15.0
TOLD_OF_EACH = 5


@dataclass(frozen=True)
class World:
    """Everything that a lab could leave behind, as sets of words; a process is the same whatever it calls itself."""

    network_namespaces: frozenset[str]
    mounts: frozenset[str]
    links: frozenset[str]
    processes: Mapping[str, str]
    containers: frozenset[str]
    volumes: frozenset[str]
    networks: frozenset[str]
    files: frozenset[str]

    def left_since(self, before: World) -> dict[str, list[str]]:
        """What is here now and was not before; empty when nothing was left."""
        extra = {f.name: sorted(set(getattr(self, f.name)) - set(getattr(before, f.name))) for f in fields(self)}
        extra["processes"] = [f"{which} {self.processes[which]}" for which in extra["processes"]]
        return {name: words for name, words in extra.items() if words}


def look(home: Path) -> World:
    """Look at the machine; `home` is the EPOLAB_HOME of the labs under test."""
    everybody, mine = pids(), family()
    mountinfo = (PROC / "self/mountinfo").read_text()
    return World(
        network_namespaces=frozenset(filter(None, (_namespace(pid) for pid in everybody if pid not in mine))),
        mounts=frozenset(mounts_of(mountinfo)),
        links=frozenset(link["ifname"] for link in json.loads(_output("ip", "-json", "link"))),
        processes=dict(
            filter(None, (_process(pid) for pid in everybody if pid not in mine and _is_of_labs(pid, home)))
        ),
        containers=frozenset(_output("docker", "ps", "-aq", "--no-trunc").split()),
        volumes=frozenset(_output("docker", "volume", "ls", "-q").split()),
        networks=frozenset(_output("docker", "network", "ls", "-q", "--no-trunc").split()),
        files=frozenset(files(home, {_point(line) for line in mountinfo.splitlines()})),
    )


def assert_nothing_is_left(home: Path, before: World) -> None:
    """After a lab was removed: what is here now was here before; else the difference is the failure's text."""
    until(lambda: not look(home).left_since(before), SETTLED_WITHIN_SECONDS)
    left = look(home).left_since(before)
    assert not left, {name: [f"{len(words)} in all", *words[:TOLD_OF_EACH]] for name, words in left.items()}


def pids() -> list[int]:
    return [int(path.name) for path in PROC.iterdir() if path.name.isdigit()]


def family() -> set[int]:
    """This process and the ones that it started and that still run."""
    parents = {pid: parent for pid in pids() if (parent := _parent(pid))}
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _stat(pid: int) -> list[str]:
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _parent(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[1]) if stat else 0


def _is_of_labs(pid: int, home: Path) -> bool:
    """Whether a process can be a lab's: started by a command under test, in a container, or a container's keeper.

    Other programs of the machine come and go as they like.
    """
    process = PROC / str(pid)
    try:
        if f"EPOLAB_HOME={home}".encode() in (process / "environ").read_bytes().split(b"\0"):
            return True
        if "containerd-shim" in (process / "cmdline").read_text(errors="replace"):
            return True
        return (process / "ns/mnt").readlink() != (PROC / "self/ns/mnt").readlink()
    except OSError:
        return False  # it has ended meanwhile


def _process(pid: int) -> tuple[str, str] | None:
    """A process by number and start, and its words; kernel threads are nobody's leavings."""
    stat = _stat(pid)
    try:
        words = (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    if not stat or not words or stat[0] == "Z":
        return None
    return f"{pid}@{stat[19]}", words[:120]


def _namespace(pid: int) -> str | None:
    try:
        return str((PROC / str(pid) / "ns" / "net").readlink())
    except OSError:
        return None


def mounts_of(mountinfo: str) -> list[str]:
    """Each mount by its point and what is mounted there; the second such one over the first is one more."""
    seen: Counter[str] = Counter()
    for line in mountinfo.splitlines():
        mount, _, source = line.partition(" - ")
        seen[f"{_point(line)} from {' '.join(source.split()[:2])} {mount.split()[3]}"] += 1
    return [f"{mount} ({number + 1})" for mount, count in seen.items() for number in range(count)]


def _point(line: str) -> str:
    return line.split()[4]


def _output(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout
