"""Two network segments of their own: endpoints on one, the server on the other, relays on both, no route between."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


@dataclass(frozen=True)
class Segments:
    """Names of the namespaces: `pc` on the endpoints' segment, `server` on the core, `relay_1`, `relay_2` on both."""

    prefix: str

    @property
    def pc(self) -> str:
        return f"{self.prefix}-pc"

    @property
    def server(self) -> str:
        return f"{self.prefix}-server"

    @property
    def relay_1(self) -> str:
        return f"{self.prefix}-r1"

    @property
    def relay_2(self) -> str:
        return f"{self.prefix}-r2"

    @property
    def switch(self) -> str:
        return f"{self.prefix}-switch"

    def crowd(self, count: int) -> list[str]:
        """So many more endpoints beside `pc`, at addresses from 10.77.1.101 on."""
        return [f"{self.prefix}-pc{number}" for number in range(1, count + 1)]

    @property
    def relay_3(self) -> str:
        return f"{self.prefix}-r3"


@contextmanager
def open_segments(crowd: int = 0) -> Iterator[Segments]:
    """The namespaces and what joins them; gone afterwards. With a crowd there is a third relay too."""
    segments = Segments(f"miniepo-{os.getpid()}")
    more = (segments.relay_3, *segments.crowd(crowd)) if crowd else ()
    names = (segments.switch, segments.pc, segments.server, segments.relay_1, segments.relay_2, *more)
    made: list[str] = []
    try:
        for name in names:
            ip("netns", "add", name)
            made.append(name)
            ip("-n", name, "link", "set", "lo", "up")
        _join(segments, crowd)
        yield segments
    finally:
        for name in made:
            subprocess.run(["ip", "netns", "del", name], check=False)


def _join(segments: Segments, crowd: int) -> None:
    for bridge in ("lan", "core"):
        ip("-n", segments.switch, "link", "add", bridge, "type", "bridge")
        ip("-n", segments.switch, "link", "set", bridge, "up")
    _plug(segments.switch, "lan", segments.pc, "eth0", 10)
    _plug(segments.switch, "core", segments.server, "eth0", 10)
    third = ((23, segments.relay_3),) if crowd else ()
    for number, relay in ((21, segments.relay_1), (22, segments.relay_2), *third):
        _plug(segments.switch, "lan", relay, "eth0", number)
        _plug(segments.switch, "core", relay, "eth1", number)
    ip("-n", segments.pc, "route", "add", "default", "via", "10.77.1.1")
    for number, name in enumerate(segments.crowd(crowd), 101):
        _plug(segments.switch, "lan", name, "eth0", number)


def _plug(switch: str, bridge: str, name: str, interface: str, number: int) -> None:
    """A cable from a bridge to an interface with address `number` on the bridge's segment, both families."""
    segment = {"lan": 1, "core": 2}[bridge]
    port = f"{bridge}{number}"
    ip("-n", switch, "link", "add", port, "type", "veth", "peer", "name", interface, "netns", name)
    ip("-n", switch, "link", "set", port, "master", bridge, "up")
    ip("-n", name, "address", "add", f"10.77.{segment}.{number}/24", "dev", interface)
    ip("-n", name, "address", "add", f"fd77:{segment}::{number}/64", "dev", interface, "nodad")
    ip("-n", name, "link", "set", interface, "up")
