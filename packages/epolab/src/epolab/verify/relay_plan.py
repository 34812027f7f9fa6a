"""What a relay is asked to show that it forwards to the sites of its own list, and to nothing else (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import CONSOLE, HTTP, HTTPS, RELAY_DISCOVERY
from epolab.model.topology import Topology

CA = "/etc/miniepo/ca.pem"
TIMEOUT_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to a relay; `reason` says what the target is, `tls` the name its certificate must bear."""

    relay_address: str
    port: int
    connect: str
    reason: str
    tls: str = ""

    def to_document(self) -> dict[str, object]:
        """The request as the relay program reads it."""
        return {
            "relay": self.relay_address,
            "port": self.port,
            "connect": self.connect,
            "tls": self.tls,
            "ca": CA,
            "timeout_s": TIMEOUT_SECONDS,
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
            asks.append(Ask(v4, port, f"{handler.fqdn}:{HTTPS}", f"handler {handler.path}", handler.fqdn))
            asks.append(Ask(v6, port, f"[{handler.ipv6}]:{HTTPS}", f"handler {handler.path}", handler.fqdn))
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
    ]
    stranger = _stranger(topology, relay)
    if stranger is not None:
        asks.append(Ask(v6, port, f"{stranger.fqdn}:{HTTPS}", f"a host that is not listed, {stranger.path}"))
        asks.append(Ask(v4, port, f"[{stranger.ipv6}]:{HTTPS}", f"an IPv6 address that is not listed, {stranger.path}"))
    return asks


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
