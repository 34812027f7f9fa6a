"""What a relay is asked to show that it forwards to the sites of its own list, and to nothing else (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import CONSOLE, HTTP, HTTPS, RELAY_DISCOVERY
from epolab.model.topology import Topology

CA = "/etc/miniepo/ca.pem"
OWN = ("/etc/miniepo/tls/agent.pem", "/etc/miniepo/tls/agent.key")
TIMEOUT_SECONDS = 8.0
CACHED = 5


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to a relay; `reason` says what the target is, `tls` the name its certificate must bear and `site` the
    node that shows it; `code` is the refusal that is right for what is forbidden. What is held for some seconds is only
    a pair of open connections."""

    relay_address: str
    port: int
    connect: str
    reason: str
    tls: str = ""
    site: str = ""
    code: str = "not-listed"
    hold_seconds: float = 0.0

    def to_document(self) -> dict[str, object]:
        """The request as the relay program reads it."""
        return {
            "relay": self.relay_address,
            "port": self.port,
            "connect": self.connect,
            "tls": self.tls,
            "ca": CA,
            "own": list(OWN),
            "timeout_s": TIMEOUT_SECONDS,
            "hold_s": self.hold_seconds,
        }


def client_of(topology: Topology, relay: Node, absent: Collection[str] = ()) -> Node:
    """Who asks: an agent of the relay's segments, first one that needs it; the relay itself where it is alone.

    Those that do not run (`absent`, paths) are asked only where there is nobody else.
    """
    clients = sorted(facts.relay_clients(topology, relay), key=lambda client: client.path in absent)
    return next(
        (c for c in clients if facts.needs_relay(topology, c) and c.path not in absent),
        clients[0] if clients else relay,
    )


def allowed(topology: Topology, relay: Node) -> list[Ask]:
    """Every site of its list that the relay reaches: handlers by name and address, repositories by name."""
    port = facts.relay_port(topology, relay)
    listed = facts.site_list(topology, relay)
    v4, v6 = str(relay.ipv4), str(relay.ipv6)
    asks = []
    for handler in listed.handlers:
        if facts.reachable(topology, relay, handler, "tcp", HTTPS):
            reason = f"handler {handler.path}"
            asks.append(Ask(v4, port, f"{handler.fqdn}:{HTTPS}", reason, handler.fqdn, handler.path))
            asks.append(Ask(v6, port, f"[{handler.ipv6}]:{HTTPS}", reason, handler.fqdn, handler.path))
            mapped = Ask(v4, port, f"[::FFFF:{handler.ipv4}]:{HTTPS}", f"{reason}, spelled otherwise", handler.fqdn)
            asks.append(mapped)
            asks.append(Ask(v6, port, f"{handler.fqdn.upper()}.:{HTTPS}", f"{reason}, spelled otherwise", handler.fqdn))
        if facts.reachable(topology, relay, handler, "tcp", HTTP):
            asks.append(Ask(v4, port, f"{handler.ipv4}:{HTTP}", f"content of {handler.path}"))
    for repository in listed.repositories:
        if _serves(topology, repository, relay):
            target = f"{repository.fqdn}:{facts.wakeup_port(topology, repository)}"
            asks.append(Ask(v4, port, target, f"repository {repository.path}"))
    return asks


def _serves(topology: Topology, repository: Node, relay: Node) -> bool:
    """Whether a repository's firewall and the sites' let a relay take content from it."""
    if relay not in facts.repository_clients(topology, repository):
        return False
    return facts.reachable(topology, relay, repository, "tcp", facts.wakeup_port(topology, repository))


def forbidden(topology: Topology, relay: Node) -> list[Ask]:
    """Targets outside the relay's list: another host, another port of a listed host, the relay itself, by literals."""
    port = facts.relay_port(topology, relay)
    v4, v6 = str(relay.ipv4), str(relay.ipv6)
    handler = facts.handler_order(topology, relay)[0]
    asks = [
        Ask(v4, port, f"{handler.fqdn}:{CONSOLE}", "another port of a listed host"),
        Ask(v6, port, f"[{handler.ipv6}]:{CONSOLE}", "another port of a listed IPv6 address"),
        Ask(v4, port, f"127.0.0.1:{port}", "the relay itself"),
        Ask(v6, port, f"[::1]:{port}", "the relay itself by IPv6"),
        Ask(v4, port, f"localhost:{HTTPS}", "the relay itself by name"),
        Ask(v4, port, f"[::ffff:127.0.0.1]:{port}", "the relay itself by IPv4 in IPv6"),
        Ask(v4, port, f"{int(handler.ipv4)}:{HTTPS}", "a listed address as one number"),
        Ask(v6, port, f"[fe80::1%eth0]:{HTTPS}", "an IPv6 address of one link", code="bad-request"),
        Ask(v6, port, f"x@{handler.fqdn}:{HTTPS}", "a listed host behind another word", code="bad-request"),
        Ask(v4, port, "a" * 5000, "a request without an end to it", code="bad-request"),
    ]
    stranger = _stranger(topology, relay)
    if stranger is not None:
        asks.append(Ask(v6, port, f"{stranger.fqdn}:{HTTPS}", f"a host that is not listed, {stranger.path}"))
        asks.append(Ask(v4, port, f"[{stranger.ipv6}]:{HTTPS}", f"an IPv6 address that is not listed, {stranger.path}"))
        mapped = f"[::ffff:{stranger.ipv4}]:{HTTPS}"
        asks.append(Ask(v4, port, mapped, f"an address that is not listed, as IPv6, of {stranger.path}"))
    return asks


def cache_troubles(topology: Topology, node: Node, cached: Collection[str]) -> list[tuple[str, str]]:
    """What is wrong with the relays (names) that an agent remembers: the first five that answer it, as (expected,
    observed)."""
    answering = {relay.name for relay in facts.relays_for(topology, node)}
    enough = len(set(cached)) == len(cached) == min(CACHED, len(answering))
    if enough and set(cached) <= answering:
        return []
    wanted = f"{node.path}: remembers {min(CACHED, len(answering))} of the relays {', '.join(sorted(answering))}"
    return [(wanted, f"it remembers {', '.join(cached) or 'none'}")]


def narrow_lists(
    topology: Topology, relay: Node, warned: Collection[str], readiness: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """What is wrong with the clients (full names) that the server warns of, as (expected, observed)."""
    behind = {row["fqdn"] for row in readiness["systems"] if row["via_relay"] == relay.name}
    clients = facts.relay_clients(topology, relay)
    known = {
        fqdn for node in clients if facts.missing_handlers(topology, relay, node) for fqdn in facts.systems_of(node)
    }
    narrow = known & behind
    found = [
        (f"{relay.path}: the server warns that its site list lacks handlers of {name}", "it does not")
        for name in sorted(narrow - set(warned))
    ]
    return found + [
        (f"{relay.path}: has all handlers of {name} in its list", "the server warns that it lacks some")
        for name in sorted(set(warned) - known)
    ]


def _stranger(topology: Topology, relay: Node) -> Node | None:
    """A node whose name and addresses are not in the relay's list; the update server is, as the fallback site."""
    listed = facts.site_list(topology, relay).paths
    others = [n for n in topology.nodes if n.path not in listed and not n.has("updates") and n.path != relay.path]
    return next((node for node in others if not node.has("handler") and not node.has("server")), None)


def discovery_ports(topology: Topology, relay: Node) -> list[int]:
    """The UDP ports at which a relay can be discovered, by its policy."""
    policy = facts.policies_of(topology, relay).get("relay")
    ports = policy.settings.get("discoveryPorts", RELAY_DISCOVERY) if policy else RELAY_DISCOVERY
    return [port for port in ports if isinstance(port, int)] if isinstance(ports, Iterable) else []
