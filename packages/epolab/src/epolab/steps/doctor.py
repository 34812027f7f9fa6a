"""Looks at this host without changing it: what labs need, or what one topology needs."""

from __future__ import annotations

from epolab.hands.host import Check, Needs, checks
from epolab.images import image_reference
from epolab.model import facts
from epolab.model.topology import Topology
from epolab.steps.build import image_names, named_images
from epolab.steps.drivers import needing_tun


def examine(topology: Topology | None) -> list[Check]:
    """Every check, with what was seen; for a topology against its own needs."""
    return checks(needs_of(topology))


def needs_of(topology: Topology | None) -> Needs:
    """What the host is asked for; without a topology what a lab of containers needs."""
    if topology is None:
        return Needs(images=_references(("fabric", "node")), fabric_image=image_reference("fabric"))
    return Needs(
        memory_mib=facts.memory_mib(topology),
        tun_for=needing_tun(topology),
        virtual_machines=any(node.kind == "vm" for node in topology.nodes),
        images=_references(image_names(topology)),
        fabric_image=image_reference("fabric"),
        named_images=named_images(topology),
    )


def _references(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(image_reference(name) for name in names)
