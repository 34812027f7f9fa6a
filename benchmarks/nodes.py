"""Creating and wiring the nodes of a lab, against the raw floor of the same calls, in one run.

Floor: the same number of create + start calls with networking disabled through the Docker API, four at a time, plus one
veth pair for each node, made and pushed by netlink. Promise: epolab <= 1.5 x floor + 3 s, at 14 and 30 nodes.

    sudo .venv/bin/python benchmarks/nodes.py [--rounds 3] [--nodes 14 --nodes 30]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docker

from epolab.images import image_reference

ROOT = Path(__file__).parents[1]
EPOLAB = ROOT / ".venv/bin/epolab"
LABEL = {"epolab.benchmark": "nodes"}
VETHS = """
import sys
from pyroute2 import IPRoute
print("ready", flush=True)
pids = sys.stdin.readline().split()
with IPRoute() as route:
    for number, pid in enumerate(pids):
        route.link("add", ifname=f"v{number}", kind="veth", peer={"ifname": "eth0", "net_ns_fd": f"/proc/{pid}/ns/net"})
        route.link("set", index=route.link_lookup(ifname=f"v{number}")[0], state="up")
"""


def topology_of(nodes: int) -> str:
    """A lab of one site: router, server, SQL and agents, `nodes` containers in all (the fabric not counted)."""
    return f"""epolab: 1
name: bench-nodes
sites:
  hq:
    nodes:
      epo: {{components: [server]}}
      sql: {{components: [sql]}}
      pc: {{components: [agent], count: {nodes - 3}}}
"""


def node_image(client: docker.DockerClient) -> str:
    """The image that labs are made of now; old ones may lie beside it."""
    image = image_reference("node")
    if not client.images.list(image):
        sys.exit(f"no image {image}: run `make setup` first")
    return image


def floor_seconds(client: docker.DockerClient, image: str, nodes: int) -> float:
    """Seconds for `nodes` create + start calls, four at a time, and their veths."""

    def one(number: int) -> str:
        container = client.containers.create(
            image, name=f"epolab-bench-{number}", network_disabled=True, cap_add=["NET_ADMIN", "NET_RAW"], labels=LABEL
        )
        container.start()
        container.reload()
        return str(container.attrs["State"]["Pid"])

    with subprocess.Popen(
        ["unshare", "--net", sys.executable, "-c", VETHS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as veths:
        assert veths.stdout is not None and veths.stdout.readline() == "ready\n"
        started = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            pids = list(pool.map(one, range(nodes)))
        veths.communicate(" ".join(pids))
        seconds = time.monotonic() - started
    if veths.returncode:
        sys.exit("the veths of the floor could not be made")
    return seconds


def remove_floor(client: docker.DockerClient) -> None:
    for container in client.containers.list(all=True, filters={"label": "epolab.benchmark=nodes"}):
        container.remove(force=True)


def epolab_seconds(nodes: int) -> tuple[float, float]:
    """Seconds that `epolab up --no-deploy` reports for the engine (Pulumi, provider, containers, wiring); and all."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench-nodes.yaml"
        file.write_text(topology_of(nodes))
        try:
            started = time.monotonic()
            ran = subprocess.run(
                [EPOLAB, "--json", "up", file, "--no-deploy"], check=True, capture_output=True, text=True, timeout=300
            )
            return float(json.loads(ran.stdout)["timings"]["engine_s"]), time.monotonic() - started
        finally:
            subprocess.run([EPOLAB, "--json", "down", "bench-nodes"], check=True, capture_output=True, timeout=120)


def rounds_of(client: docker.DockerClient, image: str, nodes: int, rounds: int) -> tuple[float, float, float]:
    """Median seconds of floor, engine and whole command; they take turns so that a drift of the machine meets all."""
    floors, ours = [], []
    for _ in range(rounds):
        try:
            floors.append(floor_seconds(client, image, nodes))
        finally:
            remove_floor(client)
        ours.append(epolab_seconds(nodes))
    engine, whole = zip(*ours, strict=True)
    return statistics.median(floors), statistics.median(engine), statistics.median(whole)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nodes", type=int, action="append")
    args = parser.parse_args()
    client = docker.from_env()
    image = node_image(client)
    held = True
    for nodes in args.nodes or [14, 30]:
        floor, ours, whole = rounds_of(client, image, nodes, args.rounds)
        bound = 1.5 * floor + 3
        held &= ours <= bound
        print(
            f"{nodes:3} nodes: floor {floor:5.2f} s, epolab {ours:5.2f} s ({whole:5.2f} s by the clock), "
            f"ratio {ours / floor:4.2f}, "
            f"bound 1.5 x floor + 3 s = {bound:5.2f} s: {'holds' if ours <= bound else 'DOES NOT HOLD'}"
        )
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
