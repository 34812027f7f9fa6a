"""A fabric without a container: its worker and its cable in namespaces of this test's own, and nodes beside it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from epolab.hands.fabric import Fabric
from epolab.hands.run import ProgramStream
from epolab_fabric.requests import ShapeRecord

LIMIT_SECONDS = 15.0


def until(condition: Callable[[], object], what: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < end, f"not within {LIMIT_SECONDS} s: {what}"
        os.sched_yield()


class Neighbourhood:
    """Processes in namespaces of their own; all are gone afterwards, and with them everything they held."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        self._pids: dict[str, int] = {}
        self.fabric_pid = self._lonely("-n", "-m", "sh", "-c", "mount -t tmpfs none /run && exec sleep infinity")
        until(lambda: Path(f"/proc/{self.fabric_pid}/comm").read_text() == "sleep\n", "the fabric's namespaces")
        self.cable = self.start_cable()
        self.fabric = Fabric(lambda: ProgramStream(self.inside_fabric("epolab_fabric.worker")))

    def _lonely(self, *argv: str) -> int:
        process = subprocess.Popen(["unshare", *argv])
        self._processes.append(process)
        return process.pid

    def inside_fabric(self, module: str) -> list[str]:
        return ["nsenter", "-t", str(self.fabric_pid), "-n", "-m", "-F", "--", sys.executable, "-m", module]

    def start_cable(self) -> subprocess.Popen[bytes]:
        self.cable = subprocess.Popen(self.inside_fabric("epolab_fabric.tap"))
        self._processes.append(self.cable)
        return self.cable

    def node(self, name: str) -> int:
        """The pid of a fresh node; a node of the same name is forgotten."""
        mine = Path("/proc/self/ns/net").stat().st_ino
        pid = self._pids[name] = self._lonely("-n", "sleep", "infinity")
        until(lambda: Path(f"/proc/{pid}/ns/net").stat().st_ino != mine, f"the namespace of {name}")
        return pid

    def end(self, name: str) -> None:
        """The node is dead."""
        process = next(it for it in self._processes if it.pid == self._pids[name])
        process.kill()
        process.wait()

    def argv_in(self, name: str, argv: Sequence[str]) -> list[str]:
        return ["nsenter", "-t", str(self._pids[name]), "-n", "-F", "--", *argv]

    def run_in(self, name: str, *argv: str) -> str:
        return subprocess.run(self.argv_in(name, argv), check=True, capture_output=True, text=True).stdout

    def exec_stream(self, name: str, argv: Sequence[str]) -> ProgramStream:
        """As the container runtime does it."""
        return ProgramStream(self.argv_in(name, [sys.executable if it == "python3" else it for it in argv]))

    def lay(self, name: str, driver: str = "cable", there: Any = None, back: Any = None) -> None:
        """A link between nodes `<name>/a` and `<name>/b`, made where they are missing."""
        number = 1 + sorted({it.partition("/")[0] for it in self._pids} | {name}).index(name)
        ends = {}
        for place, side in enumerate("ab", start=1):
            pid = self._pids.get(f"{name}/{side}") or self.node(f"{name}/{side}")
            cidrs = [f"100.64.{number}.{place}/30", f"fd00:64:{number}::{place}/126"]
            mac = f"02:00:00:00:{number:02x}:{place:02x}"
            ends[side] = {"path": f"{name}/{side}", "pid": pid, "interface": "wan", "mac": mac, "cidrs": cidrs}
        shapes = {"a_to_b": there or {}, "b_to_a": back or there or {}}
        self.fabric.call("link_apply", name=name, driver=driver, **ends, **shapes)

    def close(self) -> None:
        self.fabric.close()
        for process in reversed(self._processes):
            process.kill()
            process.wait()


def shape(**values: Any) -> dict[str, Any]:
    """A direction's shape as a request has it."""
    record = ShapeRecord(**values)
    return {name: getattr(record, name) for name in ShapeRecord.__slots__}
