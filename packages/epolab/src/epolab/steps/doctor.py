"""Looks at this host without changing it: what labs need, or what one topology needs."""

from __future__ import annotations

from epolab.hands.host import Check, Needs, checks
from epolab.images import image_reference
from epolab.model import facts
from epolab.model.topology import Topology
from epolab.steps.build import image_names


def examine(topology: Topology | None) -> list[Check]:
    """Every check, with what was seen; for a topology against its own needs."""
    return checks(needs_of(topology))


def needs_of(topology: Topology | None) -> Needs:
    """What the host is asked for; without a topology what a lab of containers needs."""
    if topology is None:
        return Needs(images=_references(("fabric", "node")))
    return Needs(
        memory_mib=facts.memory_mib(topology),
        shaped_links=any(link.shaped and not link.accept for link in topology.links),
        virtual_machines=any(node.kind == "vm" for node in topology.nodes),
        images=_references(image_names(topology)),
    )


def _references(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(image_reference(name) for name in names)
