"""A lab as the contract's JSON document has it (`up`, `inspect`), and the states of labs and nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from epolab.model.link import Link, Shape
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.provider.labels import node_container
from epolab.steps.labs import LabRecord, Member
from epolab.wan.driver import driver_named, shortfall

TIMINGS = {"images_s": "build", "engine_s": "engine", "deploy_s": "deploy", "ready_s": "ready"}


def timings_document(timings: Mapping[str, float], total_seconds: float) -> dict[str, float | None]:
    """How long the parts of an `up` took; null where a part did not run."""
    return {key: timings.get(step) for key, step in TIMINGS.items()} | {"total_s": round(total_seconds, 3)}


def node_state(member: Member | None) -> str:
    """The state of a node."""
    if member is None:
        return "missing"
    return "running" if member.running else "stopped"


def node_document(node: Node, lab: str, member: Member | None) -> dict[str, Any]:
    """NODE of the contract."""
    addresses = [
        {"interface": interface.name, "cidr": cidr, "family": family}
        for interface in node.interfaces
        for cidr, family in zip(interface.cidrs, (4, 6), strict=True)
    ]
    return {
        "site": node.site,
        "name": node.name,
        "kind": node.kind,
        "components": list(node.components),
        "state": node_state(member),
        "container": node_container(lab, node.path),
        "addresses": addresses,
    }


def shape_document(shape: Shape) -> dict[str, Any]:
    """SHAPE of the contract."""
    return {
        "rate_bps": shape.rate_bps,
        "delay_ms": shape.delay_ms,
        "jitter_ms": shape.jitter_ms,
        "loss_ratio": shape.loss_ratio,
    }


def link_document(link: Link, driver: str, certificate: Mapping[str, Any] | None) -> dict[str, Any]:
    """LINK of the contract; `measured` is null until it has been measured, `degraded` is known before."""
    entry = dict((certificate or {}).get("links", {}).get(link.name) or {})
    within, degraded = entry.pop("within", None), entry.pop("degraded", shortfall(link, driver_named(driver)))
    return {
        "name": link.name,
        "a": link.a,
        "b": link.b,
        "driver": driver,
        "declared": {"a_to_b": shape_document(link.a_to_b), "b_to_a": shape_document(link.b_to_a)},
        "measured": entry or None,
        "within": within,
        "degraded": list(degraded),
    }


def lab_state(lab: LabRecord, topology: Topology | None, phase: Mapping[str, Any] | None, *, held: bool) -> str:
    """creating, deploying, ready, degraded, removing or failed; `held` says whether a command works on it now."""
    named = (phase or {}).get("phase")
    if named is None:
        return "creating" if held else "failed"
    if named == "ready":
        return "ready" if is_whole(lab, topology) else "degraded"
    return str(named)


def is_whole(lab: LabRecord, topology: Topology | None) -> bool:
    """Whether every declared node runs."""
    paths = [member.path for member in lab.nodes] if topology is None else [node.path for node in topology.nodes]
    return all(node_state(lab.node(path or "")) == "running" for path in paths)


def lab_document(
    lab: LabRecord,
    topology: Topology,
    state: str,
    expires: str | None,
    drivers: Mapping[str, str],
    certificate: Mapping[str, Any] | None,
    timings: Mapping[str, float | None],
) -> dict[str, Any]:
    """The document of `up` and `inspect`."""
    return {
        "lab": lab.name,
        "topology": topology.name,
        "state": state,
        "owner": lab.owner,
        "expires": expires,
        "nodes": [node_document(node, lab.name, lab.node(node.path)) for node in topology.nodes],
        "links": [link_document(link, drivers.get(link.name, "none"), certificate) for link in topology.links],
        "timings": dict(timings),
    }
