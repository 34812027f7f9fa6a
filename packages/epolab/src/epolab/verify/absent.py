"""Nodes that do not run: which promises they break, and by whom the others live (pure)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.broken import PromiseBrokenError
from epolab.verify.nat_rules import routers_behind_nat
from epolab.verify.relay_load_plan import crowds
from epolab.verify.replication_plan import replication_subjects
from epolab.verify.report import Result

LIVED_BY = ("server", "sql", "handler", "router", "dns", "relay", "superagent")


def others_live_by(node: Node) -> bool:
    """Whether a node carries what other nodes need, so that nothing of what they do can be judged without it."""
    return any(node.has(component) for component in LIVED_BY)


def concerned(topology: Topology, promise: str) -> frozenset[str]:
    """The nodes (paths) that a promise is about."""
    agents = {node.path for node in facts.agents(topology)}
    swarms = {node.path for node in facts.swarms(topology)}
    served = {facts.server(topology).path, facts.sql(topology).path}
    handlers = {node.path for node in facts.handlers(topology)}
    needy = {node.path for node in facts.agents(topology) if facts.needs_relay(topology, node)}
    crowded = {node.path for crowd in crowds(topology) for node in crowd.nodes}
    content = {path for paths in replication_subjects(topology).values() for path in paths}
    about: dict[str, set[str]] = {
        "iptables": agents | swarms | {node.path for node in routers_behind_nat(topology)},
        "port-8081": agents | swarms | handlers | served,
        "replication": served | content,
        "relay": needy | crowded | {node.path for node in facts.relays(topology)},
        "handlers": agents | handlers | served,
        "communication": agents | swarms | handlers | served,
        "datachannel": agents | handlers | served,
        "run-now": agents | swarms | handlers | served,
        "wake-up": agents | swarms | handlers | served | {node.path for node in facts.pushables(topology)},
        "wan": {path for link in topology.links for path in ends_of_link(topology, link.name)},
        "isolation": {node.path for node in topology.nodes},
    }
    return frozenset(about[promise])


def ends_of_link(topology: Topology, name: str) -> tuple[str, ...]:
    """The routers (paths) at the ends of a link; none for a name that is no link's."""
    ends = next((link.ends for link in topology.links if link.name == name), ())
    return tuple(facts.router(topology, site).path for site in ends)


def refuse_absent(paths: Iterable[str], absent: Mapping[str, str]) -> None:
    """PromiseBrokenError when one of these nodes does not run; `absent` says what was seen of those that do not."""
    missing = [path for path in dict.fromkeys(paths) if path in absent]
    if missing:
        raise PromiseBrokenError(
            "; ".join(f"{path} runs" for path in missing), "; ".join(f"{path}: {absent[path]}" for path in missing)
        )


def untold(
    topology: Topology, promises: Iterable[str], absent: Mapping[str, str], told: Collection[Result]
) -> list[Result]:
    """A failed result for each node that does not run under each promise about it that has none of that node."""
    known = {(result.promise, result.node) for result in told}
    return [
        Result(promise, path, "failed", f"{path} runs", f"{path}: {absent[path]}", "the node runs", 0.0)
        for promise in promises
        for path in absent
        if path in concerned(topology, promise) and (promise, path) not in known
    ]
