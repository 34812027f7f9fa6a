"""An agent's resident memory and its CPU to start, in a node of a real lab, against a bare process beside it.

Floor: a Python process in the same node that imports asyncio, ssl, msgspec and h11 and does nothing.
Promises: an agent has at most 40 MB resident, an update and some call-ins later too, and needs at most 0.5 s of CPU
until its first call-in.

    sudo .venv/bin/python benchmarks/agent.py
"""

import json
import subprocess
import sys
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
    on_node(*UPDATE)
    for _ in range(CALL_INS):
        first = next_callin(first)
        resident.append(megabytes_of(pid))
    return max(resident), sum(map(int, ticks)) / 100


def megabytes_of(pid: str) -> float:
    return int(on_node("cat", f"/proc/{pid}/status").split("VmRSS:")[1].split()[0]) / 1024


def next_callin(before: object) -> object:
    """Wait for a call-in that is not the one before; what the agent's status says of it."""
    deadline = time.monotonic() + 60
    while (seen := last_callin()) in (None, before):
        if time.monotonic() > deadline:
            sys.exit("the agent did not call in within 60 s")
        time.sleep(0.05)
    return seen


def last_callin() -> object:
    told = subprocess.run(["docker", "exec", NODE, "cat", STATUS], check=False, capture_output=True, text=True)
    return json.loads(told.stdout)["last_callin"] if told.returncode == 0 else None


def main() -> int:
    up = [EPOLAB, "up", ROOT / "topologies/minimal.yaml", "--name", NAME]
    subprocess.run(up, check=True, stdout=subprocess.DEVNULL)
    try:
        pairs = [(floor(), agent()) for _ in range(ROUNDS)]
    finally:
        subprocess.run([EPOLAB, "down", NAME], check=True, stdout=subprocess.DEVNULL)
    held = True
    for what, unit, bound, index in (("resident", "MB", 40.0, 0), ("CPU to start", "s", 0.5, 1)):
        bare = sorted(pair[0][index] for pair in pairs)[ROUNDS // 2]
        ours = sorted(pair[1][index] for pair in pairs)[ROUNDS // 2]
        held &= ours <= bound
        verdict = "holds" if ours <= bound else "DOES NOT HOLD"
        ratio = f"{ours / bare:4.2f} x floor ({bare:.2f} {unit})"
        print(f"{what:13} {ours:6.2f} {unit}, {ratio}, bound {bound} {unit}: {verdict}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
