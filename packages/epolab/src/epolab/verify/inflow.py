"""What comes to repositories from other segments: the routers' byte counters, and how many bytes are due."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from epolab.hands.until import seconds
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.witness import Witness

# TCP/IP around the content, and the catalogs that change with it
OVERHEAD = 1.5
CATALOGS_BYTES = 100_000
# what an agent gets at a call-in: a TLS handshake and the reply
CALL_BYTES = 6_000
# what a handler or the database on the segment is told by agents and by each other
SERVICE_BYTES_PER_SECOND = 50_000
# from what a router keeps goes off what leaves by its lines meanwhile: acknowledgements, call-ins, events;
# never so much that content would not be missed which has not come
NET_OF_ACKNOWLEDGEMENTS = 0.9
LEAST_KEPT = 0.5


@dataclass(frozen=True, slots=True)
class Due:
    """The bytes that a repository's segment should get."""

    least: float
    most: float

    def holds(self, seen: int) -> bool:
        """Whether so many bytes are what is due."""
        return self.least <= seen <= self.most

    @property
    def text(self) -> str:
        """Both bounds for people."""
        return f"{self.least:.0f} to {self.most:.0f} bytes"


def counted_segments(repository: Node) -> frozenset[str]:
    """The segments whose bytes are counted: on a router all of them, because what comes in by its lines is."""
    if repository.has("router"):
        return facts.segments_of(repository)
    segment = facts.served_segment(repository)
    return frozenset() if segment is None else frozenset({segment})


def due(topology: Topology, repository: Node, size: int, took_seconds: float, package_bytes: int) -> Due:
    """What content of a size amounts to: once for each repository that is served there, and what else is said there.

    A remote handler there may fetch the package (of `package_bytes`) for agents elsewhere, once too, and so may every
    agent there that takes its content from another place.
    """
    counted = counted_segments(repository)
    near = [node for node in topology.nodes if facts.segments_of(node) & counted]
    held = [node for node in facts.repositories(topology) if facts.served_segment(node) in counted]
    caches = sum(node.has("handler") for node in near) + len(_own_takers(topology, near, held))
    services = sum(node.has("handler") or node.has("sql") for node in near)
    served = services * SERVICE_BYTES_PER_SECOND * took_seconds
    said = _calls_bytes(near, took_seconds) + served
    most = len(held) * (OVERHEAD * size + CATALOGS_BYTES) + caches * OVERHEAD * package_bytes + said
    if repository.has("router"):
        gone = _calls_bytes(_callers_away(topology, near), took_seconds) + served
        return Due(_kept(len(held) * size, gone), most)
    return Due(len(held) * size, most)


def _calls_bytes(agents: Sequence[Node], took_seconds: float) -> float:
    return CALL_BYTES * sum(took_seconds / node.asci_seconds + 1 for node in agents if node.has("agent"))


def _callers_away(topology: Topology, near: Sequence[Node]) -> list[Node]:
    """The agents whose call-ins leave the site by its lines."""
    agents = [node for node in near if node.has("agent")]
    handlers = {node.path: facts.direct_handlers(topology, node)[:1] for node in agents}
    return [node for node in agents if all(handler.site != node.site for handler in handlers[node.path])]


def _kept(content: float, gone: float) -> float:
    """The least that a router keeps of content when so many bytes may leave by its lines meanwhile."""
    return max(content * LEAST_KEPT, content * NET_OF_ACKNOWLEDGEMENTS - gone) if content else -gone


def _own_takers(topology: Topology, near: Sequence[Node], held: Sequence[Node]) -> list[Node]:
    """The agents that take no content from these repositories, and may fetch it over the lines themselves."""
    users = {node.path for each in held for node in (each, *facts.repository_clients(topology, each))}
    return [node for node in near if node.has("agent") and node.path not in users]


def bytes_to(topology: Topology, repository: Node, links: Sequence[dict[str, Any]]) -> int:
    """Bytes that a site's router has sent into a repository's segment, by what `ip -s link` says on the router.

    What only passes through the site on its way to another one is not among them, nor what goes to other segments.
    A router that holds the repository itself keeps what comes in by its lines and does not leave by them.
    """
    router = facts.router(topology, repository.site)
    counted = {link["ifname"]: link["stats64"] for link in links}
    if router.path == repository.path:
        lines = [counted[i.name] for i in router.interfaces if i.link is not None]
        return sum(int(line["rx"]["bytes"]) - int(line["tx"]["bytes"]) for line in lines)
    segments = counted_segments(repository)
    return sum(int(counted[i.name]["tx"]["bytes"]) for i in router.interfaces if i.segment in segments)


@dataclass(frozen=True, slots=True)
class Crossed:
    """The bytes that came to each repository (by node path) in a time."""

    to: dict[str, int]
    took_seconds: float


class Counter:
    """Bytes that came to repositories since the last look, as the kernels of their routers count them."""

    def __init__(self, witness: Witness, repositories: Sequence[Node]) -> None:
        self._witness = witness
        self._repositories = repositories
        self._before, self._at = self._read(), seconds()

    def _read(self) -> dict[str, int]:
        topology = self._witness.topology
        routers = {node.site: facts.router(topology, node.site).path for node in self._repositories}
        links = {site: json.loads(self._witness.must(path, "ip -json -s link show")) for site, path in routers.items()}
        return {node.path: bytes_to(topology, node, links[node.site]) for node in self._repositories}

    def since(self) -> Crossed:
        """What came since this was asked last."""
        now, at = self._read(), seconds()
        crossed = Crossed({path: now[path] - before for path, before in self._before.items()}, at - self._at)
        self._before, self._at = now, at
        return crossed
