"""Who cannot do its work because the way is barred: what only the resolved whole can tell."""

from __future__ import annotations

from epolab.model import facts, ports
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.topology.draft import Draft
from epolab.topology.report import Report
from epolab.yaml_file import Place


def check_reach(draft: Draft, topology: Topology, report: Report) -> None:
    """Handlers, agents, relays, repositories and names."""
    _check_handlers(draft, topology, report)
    _check_updates(draft, topology, report)
    _check_resolvers(draft, topology, report)
    for relay in facts.relays(topology):
        _check_relay(draft, topology, relay, report)
    for agent in facts.agents(topology):
        _check_agent(draft, topology, agent, report)
    for swarm in facts.swarms(topology):
        _check_swarm(draft, topology, swarm, report)
    for repository in facts.repositories(topology):
        _check_repository(draft, topology, repository, report)
    for superagent in facts.superagents(topology):
        _check_superagent(draft, topology, superagent, report)


def barrier(topology: Topology, source: Node, destination: Node, protocol: str, port: int) -> str | None:
    """The first site whose firewall keeps source from destination; None if nothing does."""
    for router in facts.routers_between(topology, source, destination):
        if not facts.passes(topology, router.site, source, destination, protocol, port):
            return router.site
    return None


def opening(topology: Topology, source: Node, destination: Node, port: int, protocol: str = "tcp") -> str:
    """What to write to let a connection through."""
    if facts.hidden(topology, source, destination):
        return (
            f'"{destination.site}" is behind NAT, and nobody outside opens a connection into it: remove `nat: true`, '
            f"or move {destination.path} to another site"
        )
    site = barrier(topology, source, destination, protocol, port)
    rule = f"allow: {{from: {source.path}, to: {destination.path}, protocol: {protocol}, ports: {port}}}"
    return f'the firewall of "{site}" is in the way: put `- {rule}` before what denies it'


def _check_handlers(draft: Draft, topology: Topology, report: Report) -> None:
    server, sql = facts.server(topology), facts.sql(topology)
    for handler in facts.handlers(topology):
        node = draft.by_path[handler.path]
        if not facts.reachable(topology, handler, sql, "tcp", ports.SQL):
            message = f"{handler.path} cannot reach the database on {sql.path}"
            hint = opening(topology, handler, sql, ports.SQL)
            report.error(node.place_of("handler"), "handler-without-sql", message, hint)
        if not facts.reachable(topology, handler, server, "tcp", ports.HTTPS):
            message = f"{handler.path} cannot reach the server on {server.path}, whose content it passes on"
            hint = opening(topology, handler, server, ports.HTTPS)
            report.error(node.place_of("handler"), "handler-without-server", message, hint)
        elif not facts.reachable(topology, handler, server, "tcp", ports.CLIENT_AUTHENTICATED):
            message = f"{handler.path} cannot pass on to the server on {server.path} what agents say on the DataChannel"
            hint = opening(topology, handler, server, ports.CLIENT_AUTHENTICATED)
            report.error(node.place_of("handler"), "handler-without-server", message, hint)
        _check_hidden_handler(topology, handler, node.place_of("handler"), report)


def _check_hidden_handler(topology: Topology, handler: Node, place: Place, report: Report) -> None:
    """A handler behind NAT is for its own site: whoever is told to use it elsewhere never gets there."""
    callers = (*facts.agents(topology), *facts.swarms(topology))
    away = [node for node in callers if facts.hidden(topology, node, handler)]
    lost = next((node for node in away if handler in facts.handler_order(topology, node)), None)
    if lost is not None:
        message = f"{handler.path} is behind NAT, and {lost.path}, which is told to use it, cannot get there"
        hint = f"{opening(topology, lost, handler, ports.HTTPS)}; or leave it out of the handler rules of other sites"
        report.error(place, "handler-behind-nat", message, hint)


def _check_updates(draft: Draft, topology: Topology, report: Report) -> None:
    server, vendor = facts.server(topology), facts.updates(topology)
    if vendor is not None and not facts.reachable(topology, server, vendor, "tcp", ports.HTTP):
        message = f"the server cannot reach the update server on {vendor.path}"
        place = draft.by_path[vendor.path].place_of("updates")
        report.error(place, "updates-cut-off", message, opening(topology, server, vendor, ports.HTTP))


def _check_resolvers(draft: Draft, topology: Topology, report: Report) -> None:
    for node in topology.nodes:
        resolver = facts.resolver(topology, node)
        place = draft.by_path[node.path].place
        if resolver is None and node.has("router"):
            message = f'no name server serves the site "{node.site}"'
            report.error(place, "no-dns", message, f"give {node.path} the component dns")
        elif resolver is not None and not facts.reachable(topology, node, resolver, "udp", ports.DNS):
            message = f"{node.path} cannot reach its name server {resolver.path}"
            report.error(place, "no-dns", message, opening(topology, node, resolver, ports.DNS, "udp"))


def _check_relay(draft: Draft, topology: Topology, relay: Node, report: Report) -> None:
    place = draft.by_path[relay.path].place_of("relay")
    if facts.needs_relay(topology, relay):
        message = f"the relay {relay.path} reaches none of its handlers"
        first = facts.handler_order(topology, relay)[0]
        report.error(place, "relay-cut-off", message, opening(topology, relay, first, ports.HTTPS))
    for client in facts.relay_clients(topology, relay):
        missing = [handler.path for handler in facts.missing_handlers(topology, relay, client)]
        if missing and facts.needs_relay(topology, client):
            message = f"the site list of the relay {relay.path} lacks {', '.join(missing)}, which {client.path} has"
            hint = "a relay forwards only to sites of its own list: give its handler rule all handlers of its clients"
            tell = report.warning if _leads_on(topology, relay, client, missing) else report.error
            tell(place, "relay-list", message, hint)


def _leads_on(topology: Topology, relay: Node, client: Node, missing: list[str]) -> bool:
    """Whether a client gets to one of its handlers through a relay all the same."""
    left = [handler for handler in facts.handler_order(topology, client) if handler.path not in missing]
    return any(facts.reachable(topology, relay, handler, "tcp", ports.HTTPS) for handler in left)


def _check_agent(draft: Draft, topology: Topology, agent: Node, report: Report) -> None:
    if agent.has("relay"):
        return
    place = draft.by_path[agent.path].place_of("agent")
    if facts.needs_relay(topology, agent):
        relays = facts.relays_for(topology, agent)
        if not any(not facts.needs_relay(topology, relay) for relay in relays):
            if _report_deaf(draft, topology, agent, report):
                return
            message = f"the agent {agent.path} reaches no handler, neither directly nor through a relay on its segment"
            first = facts.handler_order(topology, agent)[0]
            hint = f"put a relay on its segment, or: {opening(topology, agent, first, ports.HTTPS)}"
            report.error(place, "agent-cut-off", message, hint)
    elif not facts.wakers(topology, agent) and not agent.has("superagent") and not topology.site(agent.site).nat:
        message = f"no wake-up call gets to {agent.path}: it is reached only at its own interval"
        first = facts.handler_order(topology, agent)[0]
        hint = opening(topology, first, agent, facts.wakeup_port(topology, agent))
        report.warning(place, "wakeup-barred", message, hint)


def _check_swarm(draft: Draft, topology: Topology, swarm: Node, report: Report) -> None:
    """Its agents reach a handler, or a relay on their segment that does."""
    if not facts.needs_relay(topology, swarm):
        return
    if not any(not facts.needs_relay(topology, relay) for relay in facts.relays_for(topology, swarm)):
        message = f"the swarm {swarm.path} reaches no handler, neither directly nor through a relay on its segment"
        first = facts.handler_order(topology, swarm)[0]
        hint = f"put a relay on its segment, or: {opening(topology, swarm, first, ports.HTTPS)}"
        report.error(draft.by_path[swarm.path].place, "swarm-cut-off", message, hint)


def _report_deaf(draft: Draft, topology: Topology, agent: Node, report: Report) -> bool:
    """Whether a relay beside the agent would serve it, if it listened where the agent is or asks."""
    near = [r for r in facts.relays(topology) if facts.shares_segment(r, agent) and not facts.needs_relay(topology, r)]
    for relay in near:
        said = _deaf(topology, agent, relay)
        if said is not None:
            report.error(draft.by_path[agent.path].place_of("agent"), "relay-deaf", *said)
            return True
    return False


def _deaf(topology: Topology, agent: Node, relay: Node) -> tuple[str, str] | None:
    """Why a relay does not hear an agent, and what to do; None if it does."""
    if not agent.looks_for_relays:
        message = f"the agent {agent.path} of version {agent.version} does not look for relays"
        return message, "an agent behind a relay needs version 4.8 or later"
    port, segment = facts.discovery_port(agent), facts.served_segment(relay)
    if segment not in facts.segments_of(agent):
        message = f"the relay {relay.path} serves its first network, {segment}, and {agent.path} is not on it"
        return message, f"put the network of {agent.path} first in `network` of {relay.path}, or another relay there"
    if port in facts.discovery_ports(topology, relay):
        return None
    asks = f"the agent {agent.path} of version {agent.version} asks for relays on {port}/udp"
    policy = facts.policies_of(topology, relay)["relay"].name
    return f"{asks}, where {relay.path} does not listen", f'add {port} to the `discoveryPorts` of "{policy}"'


def _check_repository(draft: Draft, topology: Topology, repository: Node, report: Report) -> None:
    server, port = facts.server(topology), facts.wakeup_port(topology, repository)
    if not facts.reachable(topology, server, repository, "tcp", port):
        message = f"the server cannot replicate to the repository on {repository.path}"
        place = draft.by_path[repository.path].place_of("superagent")
        report.error(place, "repository-cut-off", message, opening(topology, server, repository, port))


def _check_superagent(draft: Draft, topology: Topology, superagent: Node, report: Report) -> None:
    """Nobody wakes the segment of a SuperAgent that is not called, such as one behind NAT.

    One that the server does not even reach for replication is told of as that.
    """
    server, port = facts.server(topology), facts.wakeup_port(topology, superagent)
    replicated = superagent in facts.repositories(topology)
    cut_off = replicated and not facts.reachable(topology, server, superagent, "tcp", port)
    if cut_off or facts.wakers(topology, superagent):
        return
    message = f"no wake-up call gets to the SuperAgent {superagent.path}, so that it wakes nobody on its segment"
    first = facts.handler_order(topology, superagent)[0]
    place = draft.by_path[superagent.path].place_of("superagent")
    report.warning(place, "superagent-not-called", message, opening(topology, first, superagent, port))
