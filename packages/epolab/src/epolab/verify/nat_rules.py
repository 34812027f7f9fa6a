"""What a router behind NAT does: whether it masks what leaves, by its rules and to handlers, and shuts out (pure)."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Literal

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology

ANSWERS = {"RELATED,ESTABLISHED", "ESTABLISHED,RELATED"}


@dataclass(frozen=True, slots=True)
class Line:
    """A network of a site behind NAT and an interface of its router that leads out."""

    network: str
    interface: str


def routers_behind_nat(topology: Topology) -> list[Node]:
    """The routers of the sites behind NAT."""
    return [facts.router(topology, site.name) for site in topology.sites if site.nat]


def masked(topology: Topology) -> list[Node]:
    """The agents behind NAT that go to a handler of another site themselves: it sees their router's address."""
    hidden = [node for node in facts.agents(topology) if topology.site(node.site).nat]
    return [node for node in hidden if any(h.site != node.site for h in facts.direct_handlers(topology, node)[:1])]


def bare_callins(topology: Topology, node: Node, calls: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """What is wrong with where an agent behind NAT called in from, as (expected, observed): every call-in counts.

    One alone would say little: an agent may come over IPv4 or IPv6, which are masked by rules of their own. Handlers
    of its own site see its own address.
    """
    lines = [interface for interface in facts.router(topology, node.site).interfaces if interface.link is not None]
    right = {str(address) for line in lines for address in (line.ipv4.ip, line.ipv6.ip)}
    wanted = f"{node.path}: calls in from {' or '.join(sorted(right))}"
    straight = [call for call in calls if call["handler"] and call["via_relay"] is None]
    seen = [call["remote_address"] for call in straight if topology.node(call["handler"]).site != node.site]
    if not seen:
        return [(wanted, f"{node.path}: no call-in came")]
    return [
        (wanted, f"the handler saw {address} in {seen.count(address)} of {len(seen)} call-ins")
        for address in sorted(set(seen) - right)
    ]


def lines_of(topology: Topology, router: Node, family: Literal[4, 6]) -> list[Line]:
    """Each network of a site by each way out."""
    out = [interface.name for interface in router.interfaces if interface.link is not None]
    segments = topology.site(router.site).segments
    networks = [str(segment.ipv4 if family == 4 else segment.ipv6) for segment in segments]
    return [Line(network, name) for network in networks for name in out]


def _rules(listing: str) -> Iterator[dict[str, str]]:
    for line in listing.splitlines():
        words = shlex.split(line)
        if words[:1] == ["-A"]:
            yield dict(zip(words[2:], [*words[3:], ""], strict=True))


def _about(rule: dict[str, str], line: Line, end: str, way: str) -> bool:
    """Whether a rule may be about what passes a line: `end` is `-s` or `-d`, `way` is `-i` or `-o`."""
    inside = end not in rule or ip_network(rule[end]).overlaps(ip_network(line.network))
    return inside and rule.get(way, line.interface) == line.interface


def unmasked(listing: str, line: Line) -> str:
    """What is seen instead of a rule of POSTROUTING that masks what leaves; empty if there is one."""
    for rule in _rules(listing):
        if _about(rule, line, "-s", "-o"):
            whole = rule.get("-s") == line.network and "-p" not in rule and rule.get("-j") == "MASQUERADE"
            return "" if whole else f"first there is: {_text(rule)}"
    return "no rule is about it"


def open_to_outside(listing: str, line: Line) -> str:
    """What lets new connections in by a line, by the rules of FORWARD; empty if they are dropped."""
    for rule in _rules(listing):
        if rule.get("--ctstate") in ANSWERS or not _about(rule, line, "-d", "-i"):
            continue
        whole = rule.get("-d") == line.network and "-p" not in rule and rule.get("-j") == "DROP"
        return "" if whole else f"first there is: {_text(rule)}"
    return "no rule is about it"


def _text(rule: dict[str, str]) -> str:
    return " ".join(f"{word} {value}" for word, value in rule.items() if word.startswith("-"))


def caller_of(topology: Topology, router: Node) -> Node:
    """Who tries to get in from outside: the server, or where it is in the site itself another site's router."""
    server = facts.server(topology)
    if server.site != router.site:
        return server
    return next(other for other in facts.routers(topology) if other.site != router.site)


def addresses_of(topology: Topology, router: Node) -> list[str]:
    """The addresses of the site that nobody outside gets at, its router's own on its networks among them."""
    return [address for node in topology.site(router.site).nodes for address in facts.segment_addresses(node)]
