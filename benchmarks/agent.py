"""An agent's memory and CPU, at its start and while nothing happens, in a node of a real lab, against bare processes.

Floors, in the same node: a Python process that imports asyncio, ssl, msgspec and h11 and does nothing; and one that
wakes up once a second, which costs what any program costs that looks at the clock.
Promises: an agent has at most 40 MB resident, an update and some call-ins later too, and needs at most 0.5 s of CPU
until its first call-in. With an interval of 60 s and nothing to do it needs at most 0.2 % of a core, its call-ins
included, and still has at most 40 MB.

    sudo .venv/bin/python benchmarks/agent.py
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
EPOLAB = ROOT / ".venv/bin/epolab"
NAME = "bench-agent"
NODE = f"{NAME}.hq.pc-1"
FLOOR = """
import asyncio, ssl, time
import msgspec, h11
context = ssl.create_default_context()
status = open("/proc/self/status").read()
print(int(status.split("VmRSS:")[1].split()[0]) / 1024, time.process_time())
"""
STATUS = "/var/lib/miniepo/agent/status.json"
UPDATE = ("runuser", "-u", "mfeagent", "--", "miniepo", "ctl", "update")
CALL_INS = 3
ROUNDS = 5
IDLE_ASCI_SECONDS = 60
IDLE_INTERVALS = 3
IDLE_PERCENT = 0.2
MEGABYTES = 40.0
TICKING = """
import asyncio, ssl, sys, time
import msgspec, h11
async def tick(until):
    while time.monotonic() < until:
        await asyncio.sleep(1)
before = time.process_time()
asyncio.run(tick(time.monotonic() + float(sys.argv[1])))
print(time.process_time() - before)
"""


def on_node(*argv: str) -> str:
    return subprocess.run(["docker", "exec", NODE, *argv], check=True, capture_output=True, text=True).stdout


def floor() -> tuple[float, float]:
    """Megabytes resident and CPU seconds of the bare process."""
    megabytes, seconds = on_node("/opt/miniepo/venv/bin/python", "-c", FLOOR).split()
    return float(megabytes), float(seconds)


def agent() -> tuple[float, float]:
    """Megabytes resident (the most that is seen) and CPU seconds to the first call-in of an agent started anew."""
    on_node("sh", "-c", f"sv down cmdagent && rm -f {STATUS} && sv up cmdagent")
    first = next_callin(None)
    pid = on_node("pgrep", "-x", "cmdagent").split()[0]
    ticks = on_node("cat", f"/proc/{pid}/stat").rpartition(")")[2].split()[11:13]
    resident = [megabytes_of(pid)]
    updated = subprocess.run(["docker", "exec", NODE, *UPDATE], check=False, capture_output=True, text=True)
    if updated.returncode:
        sys.exit(f"the agent did not update: {updated.stderr.strip()}")
    for _ in range(CALL_INS):
        first = next_callin(first)
        resident.append(megabytes_of(pid))
    return max(resident), sum(map(int, ticks)) / 100


def megabytes_of(pid: str) -> float:
    return int(on_node("cat", f"/proc/{pid}/status").split("VmRSS:")[1].split()[0]) / 1024


def cpu_seconds(pid: str) -> float:
    """CPU time that a process has used, all its threads, to the nanosecond."""
    listed = on_node("sh", "-c", f"cat /proc/{pid}/task/*/schedstat")
    return sum(int(line.split()[0]) for line in listed.splitlines()) / 1e9


def idle() -> tuple[float, float, float]:
    """Percent of a core that the agent needs over some whole intervals, that of the ticking floor, and megabytes."""
    seen = next_callin(last_callin(), IDLE_ASCI_SECONDS * 2)
    pid = on_node("pgrep", "-x", "cmdagent").split()[0]
    span = IDLE_ASCI_SECONDS * IDLE_INTERVALS
    ticking = subprocess.Popen(
        ["docker", "exec", NODE, "/opt/miniepo/venv/bin/python", "-c", TICKING, str(span)],
        stdout=subprocess.PIPE,
        text=True,
    )
    began, used = time.monotonic(), cpu_seconds(pid)
    for _ in range(IDLE_INTERVALS):
        seen = next_callin(seen, IDLE_ASCI_SECONDS * 2)
    percent = 100 * (cpu_seconds(pid) - used) / (time.monotonic() - began)
    told, _ = ticking.communicate()
    return percent, 100 * float(told) / span, megabytes_of(pid)


def next_callin(before: object, within_seconds: float = 60) -> object:
    """Wait for a call-in that is not the one before; what the agent's status says of it."""
    deadline = time.monotonic() + within_seconds
    while (seen := last_callin()) in (None, before):
        if time.monotonic() > deadline:
            sys.exit(f"the agent did not call in within {within_seconds:.0f} s")
        time.sleep(0.05 if within_seconds <= 60 else 1)
    return seen


def last_callin() -> object:
    told = subprocess.run(["docker", "exec", NODE, "cat", STATUS], check=False, capture_output=True, text=True)
    return json.loads(told.stdout)["last_callin"] if told.returncode == 0 else None


def main() -> int:
    minimal = (ROOT / "topologies/minimal.yaml").read_text()
    with tempfile.TemporaryDirectory() as folder:
        slow = Path(folder) / "slow.yaml"
        slow.write_text(minimal.replace("asci: 5s", f"asci: {IDLE_ASCI_SECONDS}s"))
        try:
            up(ROOT / "topologies/minimal.yaml")
            pairs = [(floor(), agent()) for _ in range(ROUNDS)]
            up(slow)
            percent, ticking, megabytes = idle()
        finally:
            subprocess.run([EPOLAB, "down", NAME], check=True, stdout=subprocess.DEVNULL)
    medians = [[sorted(pair[side][what] for pair in pairs)[ROUNDS // 2] for side in (0, 1)] for what in (0, 1)]
    held = [
        row("resident", "MB", medians[0][1], medians[0][0], MEGABYTES),
        row("CPU to start", "s", medians[1][1], medians[1][0], 0.5),
        row("idle, CPU", "%", percent, ticking, IDLE_PERCENT),
        row("idle, resident", "MB", megabytes, medians[0][0], MEGABYTES),
    ]
    return 0 if all(held) else 1


def up(file: Path) -> None:
    subprocess.run([EPOLAB, "up", file, "--name", NAME], check=True, stdout=subprocess.DEVNULL)


def row(what: str, unit: str, ours: float, bare: float, bound: float) -> bool:
    verdict = "holds" if ours <= bound else "DOES NOT HOLD"
    print(
        f"{what:14} {ours:6.2f} {unit}, {ours / bare:4.2f} x floor ({bare:.2f} {unit}), bound {bound} {unit}: {verdict}"
    )
    return ours <= bound


if __name__ == "__main__":
    sys.exit(main())
