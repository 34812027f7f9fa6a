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
    """Names of the namespaces: `pc` on the endpoints' segment, `server` on the core, the relays on both."""

    prefix: str

    @property
    def pc(self) -> str:
        return f"{self.prefix}-pc"

    @property
    def server(self) -> str:
        return f"{self.prefix}-server"

    def relay(self, number: int) -> str:
        """A relay, from 1 on."""
        return f"{self.prefix}-r{number}"

    @property
    def relay_1(self) -> str:
        return self.relay(1)

    @property
    def relay_2(self) -> str:
        return self.relay(2)

    @property
    def switch(self) -> str:
        return f"{self.prefix}-switch"

    def crowd(self, count: int) -> list[str]:
        """So many more endpoints beside `pc`, at addresses from 10.77.1.101 on."""
        return [f"{self.prefix}-pc{number}" for number in range(1, count + 1)]


@contextmanager
def open_segments(crowd: int = 0, relays: int = 2) -> Iterator[Segments]:
    """The namespaces and what joins them; gone afterwards."""
    segments = Segments(f"miniepo-{os.getpid()}")
    forwarding = [segments.relay(number) for number in range(1, relays + 1)]
    names = (segments.switch, segments.pc, segments.server, *forwarding, *segments.crowd(crowd))
    made: list[str] = []
    try:
        for name in names:
            ip("netns", "add", name)
            made.append(name)
            ip("-n", name, "link", "set", "lo", "up")
        _join(segments, forwarding, segments.crowd(crowd))
        yield segments
    finally:
        for name in made:
            subprocess.run(["ip", "netns", "del", name], check=False)


def _join(segments: Segments, relays: list[str], crowd: list[str]) -> None:
    for bridge in ("lan", "core"):
        ip("-n", segments.switch, "link", "add", bridge, "type", "bridge")
        ip("-n", segments.switch, "link", "set", bridge, "up")
    _plug(segments.switch, "lan", segments.pc, "eth0", 10)
    _plug(segments.switch, "core", segments.server, "eth0", 10)
    for number, relay in enumerate(relays, 21):
        _plug(segments.switch, "lan", relay, "eth0", number)
        _plug(segments.switch, "core", relay, "eth1", number)
    ip("-n", segments.pc, "route", "add", "default", "via", "10.77.1.1")
    for number, name in enumerate(crowd, 101):
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
