"""The lab of 4,000 agents on the clock: up, a round of all of them, the verdict, down.

Promises: it comes up, every agent calls in when it is told to, and the verdict is positive. How long each takes is
printed; the ratio of a round to a bare endpoint is `swarm.py`'s.

    sudo .venv/bin/python benchmarks/tokyo.py
"""

import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
EPOLAB = ROOT / ".venv/bin/epolab"
FILE = ROOT / "topologies/tokyo-4000.yaml"
NAME = "bench-tokyo"
NODE = f"{NAME}.tokyo.tokyo"
LIMIT_SECONDS = 3600
CALL_IN = """
import asyncio, pathlib
from miniepo.wire.control import ask
socket = pathlib.Path("/var/lib/miniepo/agent/control.sock")
print(asyncio.run(ask(socket, b'{"order": "callin"}\\n', 1800)).decode())
"""
STATUS = "/var/lib/miniepo/agent/status.json"


def epolab(*argv: str) -> tuple[float, dict[str, object]]:
    """Seconds and the document of one command; its exit code must be 0."""
    began = time.monotonic()
    ran = subprocess.run([EPOLAB, "--json", *argv], capture_output=True, text=True, timeout=LIMIT_SECONDS)
    if ran.returncode:
        sys.exit(f"epolab {' '.join(argv)}: exit {ran.returncode}\n{ran.stdout[-4000:]}\n{ran.stderr[-4000:]}")
    return time.monotonic() - began, json.loads(ran.stdout)


def on_node(*argv: str) -> str:
    return subprocess.run(["docker", "exec", NODE, *argv], check=True, capture_output=True, text=True).stdout


def whole_round() -> bool:
    """Every agent calls in."""
    told = json.loads(on_node("env", "PYTHONPATH=/opt/miniepo/lib", "/opt/miniepo/venv/bin/python", "-c", CALL_IN))[
        "result"
    ]
    rate, seconds = told["called_in"] / told["seconds"], told["call_seconds"]
    held = told["called_in"] == told["agents"]
    print(f"round      {told['seconds']:6.1f} s, {rate:.0f} calls/s, 99 % within {seconds['99']:.2f} s: "
          f"{told['called_in']} of {told['agents']} called in: {'holds' if held else 'DOES NOT HOLD'}")  # fmt: skip
    return bool(held)


def main() -> int:
    try:
        up, document = epolab("up", str(FILE), "--name", NAME)
        resident = int(on_node("sh", "-c", "grep VmRSS /proc/$(pgrep -x miniepo-swarm)/status").split()[1])
        print(f"up         {up:6.1f} s {document['timings']}")
        agents = json.loads(on_node("cat", STATUS))["agents"]
        print(f"resident   {resident / 1024:6.0f} MiB, {resident / agents:.1f} KiB each")
        held = whole_round()
        verify, verdict = epolab("verify", NAME)
        print(f"verify     {verify:6.1f} s, {verdict['passed']} passed, {verdict['failed']} failed")
    finally:
        down, _ = epolab("down", NAME)
    print(f"down       {down:6.1f} s")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
