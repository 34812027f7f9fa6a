"""One lab's life on the clock: up, no-op up, verify and down, images and engine in the cache.

Promises: up <= 90 s (minimal: 45 s), no-op up <= 10 s, verify <= 120 s, down <= 10 s. Each is also given as a ratio to
the floor measured in the same run: creating and removing the same number of bare containers through the Docker API.

    sudo .venv/bin/python benchmarks/life.py [topologies/quickstart.yaml]
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import docker
from nodes import floor_seconds, node_image, remove_floor

ROOT = Path(__file__).parents[1]
EPOLAB = ROOT / ".venv/bin/epolab"
NAME = "bench-life"
UP_BOUND_SECONDS = {"minimal": 45.0}


def timed(*argv: str) -> tuple[float, dict[str, object]]:
    """Wall seconds and the JSON document of one epolab command; its exit code must be 0."""
    started = time.monotonic()
    ran = subprocess.run([EPOLAB, "--json", *argv], capture_output=True, text=True, timeout=900)
    seconds = time.monotonic() - started
    if ran.returncode:
        sys.exit(f"epolab {' '.join(argv)}: exit {ran.returncode}\n{ran.stdout}\n{ran.stderr[-4000:]}")
    return seconds, json.loads(ran.stdout)


def floor_of(nodes: int) -> tuple[float, float]:
    client = docker.from_env()
    try:
        create = floor_seconds(client, node_image(client), nodes)
    finally:
        started = time.monotonic()
        remove_floor(client)
    return create, time.monotonic() - started


def main() -> int:
    file = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "topologies/quickstart.yaml")
    held = True

    def row(what: str, seconds: float, bound: float, floor: float) -> None:
        nonlocal held
        held &= seconds <= bound
        verdict = "holds" if seconds <= bound else "DOES NOT HOLD"
        ratio = f"{seconds / floor:5.1f} x floor ({floor:.1f} s)"
        print(f"{what:10} {seconds:6.1f} s, {ratio}, bound {bound:5.0f} s: {verdict}")

    try:
        up, document = timed("up", file, "--name", NAME)
        nodes = document["nodes"]
        assert isinstance(nodes, list)
        create, remove = floor_of(len(nodes))
        row("up", up, UP_BOUND_SECONDS.get(Path(file).stem, 90.0), create)
        print(f"           {document['timings']}")
        row("no-op up", timed("up", file, "--name", NAME)[0], 10, create)
        row("verify", timed("verify", NAME)[0], 120, create)
    finally:
        down, _ = timed("down", NAME)
    row("down", down, 10, remove)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
