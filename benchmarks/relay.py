"""A download through a relay against the same download direct, over the same link, by the agent's own code.

Three network namespaces: the agent's, the relay's and the repository's. The link to the repository is shaped to a rate
(100 Mbit/s, then 1 Gbit/s), and either way the bytes cross it once; beside it, for information, a link without a shape,
where the three processes and the kernel share the machine's cores and nothing but CPU time counts.
Floor: the download direct, in turns with the one through the relay; medians of the rounds.
Promise: through the relay at least 90 % of the direct download's rate, on both shaped links.

    sudo .venv/bin/python benchmarks/relay.py
"""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from miniepo.protocol import sitelist
from miniepo.protocol.sitelist import Site, SiteList

ROUNDS = 5
BOUND = 0.90
MEGABYTE = 1_000_000
LINKS = (("100mbit", 40, True), ("1gbit", 250, True), ("", 500, False))
REPOSITORY = Site("HttpSite", "repository", "repository", 1, "10.78.2.10", 8090, "10.78.2.10", relative_path="")
FETCH = """
import asyncio, json, sys, time
from pathlib import Path
from miniepo.agent.content_ways import ContentWay
from miniepo.agent.repository_line import open_line
from miniepo.protocol.discovery import Relay
from miniepo.protocol.sitelist import Site
given = json.load(sys.stdin)
way = ContentWay(Relay("G", "relay", 8083, ("10.78.1.21",)) if given["relay"] else None)
site = Site("HttpSite", "repository", "repository", 1, "10.78.2.10", 8090, "10.78.2.10", relative_path="")
async def run():
    began = time.monotonic()
    line = await open_line(site, way, None)
    await line.fetch(given["name"], Path("/dev/shm") / given["into"], given["size"], given["sha256"])
    await line.close()
    return time.monotonic() - began
print(asyncio.run(run()))
"""
SERVE = """
import asyncio, sys
from pathlib import Path
from miniepo.wire.http_response import Response
from miniepo.wire.http_server import HttpServer
async def handle(request):
    return Response(200, file=Path(sys.argv[1]) / Path(request.path).name)
async def run():
    await HttpServer(handle).start(["0.0.0.0"], 8090)
    print("ready", flush=True)
    await asyncio.Event().wait()
asyncio.run(run())
"""
RELAY = """
import asyncio, sys
from miniepo import config
from miniepo.clock import SystemClock
from miniepo.relay.app import RelayService
async def run():
    await RelayService(config.load(sys.argv[1], config.RelayConfig), SystemClock()).start()
    print("ready", flush=True)
    await asyncio.Event().wait()
asyncio.run(run())
"""
PREFIX = f"bench-relay-{os.getpid()}"
PC, MIDDLE, FAR = (f"{PREFIX}-{name}" for name in ("pc", "relay", "far"))


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def inside(name: str, *argv: str) -> list[str]:
    return ["nsenter", f"--net=/run/netns/{name}", *argv]


def wire() -> None:
    """pc — relay — far; the relay's node also routes, so that pc gets to far directly over the same link."""
    for name in (PC, MIDDLE, FAR):
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")
    for left, right, segment, (a, b) in ((PC, MIDDLE, 1, (10, 21)), (MIDDLE, FAR, 2, (21, 10))):
        ends = (f"lan{segment}", f"lan{segment}")
        ip("-n", left, "link", "add", ends[0], "type", "veth", "peer", "name", ends[1], "netns", right)
        for name, end, number in ((left, ends[0], a), (right, ends[1], b)):
            ip("-n", name, "address", "add", f"10.78.{segment}.{number}/24", "dev", end)
            ip("-n", name, "link", "set", end, "up")
    ip("-n", PC, "route", "add", "default", "via", "10.78.1.21")
    ip("-n", FAR, "route", "add", "default", "via", "10.78.2.21")
    subprocess.run(inside(MIDDLE, "sysctl", "-qw", "net.ipv4.ip_forward=1"), check=True)


def shape(rate: str) -> None:
    """The rate of the link between relay and repository, towards the agent; none where it is empty."""
    subprocess.run(inside(FAR, "tc", "qdisc", "del", "dev", "lan2", "root"), check=False, stderr=subprocess.DEVNULL)
    if rate:
        words = ("tbf", "rate", rate, "burst", "256kb", "latency", "50ms")
        subprocess.run(inside(FAR, "tc", "qdisc", "add", "dev", "lan2", "root", *words), check=True)


def start(namespace: str, program: str, argument: str) -> subprocess.Popen[str]:
    argv = inside(namespace, sys.executable, "-c", program, argument)
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def make(folder: Path, megabytes: int) -> dict[str, object]:
    """A file of the repository; what a catalog says of it."""
    path = folder / f"content-{megabytes}.bin"
    data = os.urandom(MEGABYTE)
    digest = hashlib.sha256()
    with path.open("wb") as opened:
        for _ in range(megabytes):
            opened.write(data)
            digest.update(data)
    return {"name": path.name, "into": PREFIX, "size": megabytes * MEGABYTE, "sha256": digest.hexdigest()}


def rate(file: dict[str, object], relay: bool) -> float:
    """Megabits per second of one download by a process of its own."""
    given = json.dumps({**file, "relay": relay})
    argv = inside(PC, sys.executable, "-c", FETCH)
    ran = subprocess.run(argv, input=given, check=True, capture_output=True, text=True)
    return float(str(file["size"])) * 8 / MEGABYTE / float(ran.stdout)


def measure(folder: Path) -> bool:
    held = True
    for word, megabytes, promised in LINKS:
        shape(word)
        file = make(folder, megabytes)
        pairs = [(rate(file, relay=False), rate(file, relay=True)) for _ in range(ROUNDS)]
        direct, through = (statistics.median(pair[which] for pair in pairs) for which in (0, 1))
        ratio = through / direct
        held &= ratio >= BOUND or not promised
        verdict = ("holds" if ratio >= BOUND else "DOES NOT HOLD") if promised else "for information"
        print(
            f"{word or 'no shape':9} direct {direct:6.0f} Mbit/s, through the relay {through:6.0f}: {ratio:.1%} ",
            end="",
        )
        print(f"of it, bound {BOUND:.0%}: {verdict}", flush=True)
    return held


def main() -> int:
    processes: list[subprocess.Popen[str]] = []
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        folder = Path(name)
        config = {
            "sitelist": str(folder / "SiteList.xml"),
            "computer_name": "relay",
            "guid": "G",
            "listen": ["0.0.0.0"],
        }
        (folder / "SiteList.xml").write_text(sitelist.write(SiteList("EPO", "1", (REPOSITORY,))))
        (folder / "relay.json").write_text(json.dumps({**config, "discovery_ports": []}))
        try:
            wire()
            processes.append(start(FAR, SERVE, str(folder)))
            processes.append(start(MIDDLE, RELAY, str(folder / "relay.json")))
            return 0 if measure(folder) else 1
        finally:
            for process in processes:
                process.kill()
                process.wait()
            for space in (PC, MIDDLE, FAR):
                subprocess.run(["ip", "netns", "del", space], check=False)
            (Path("/dev/shm") / PREFIX).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
