"""Which driver each link of a lab gets on the host that runs its containers, and what that host cannot keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from epolab.errors import FabricError, LinkImpossibleError, TunMissingError
from epolab.hands.capacity import has_tun
from epolab.hands.docker import Docker
from epolab.hands.fabric import open_fabric
from epolab.hands.link_facts import read_link_facts
from epolab.images import image_reference
from epolab.model.topology import Topology
from epolab.steps.labs import LabRecord
from epolab.wan.choose import Choice, choose
from epolab.wan.driver import HostFacts


class Engine(Protocol):
    """As much of the container runtime as the host is tried with."""

    def info(self) -> dict[str, Any]:
        """What the engine says about itself and its host."""

    def image_id(self, reference: str) -> str | None:
        """The id of an image, or None if the engine does not have it."""


Read = Callable[[Mapping[str, Any], str, bool], HostFacts]


def _read(engine: Mapping[str, Any], image: str, fresh: bool) -> HostFacts:
    return read_link_facts(engine, image, fresh=fresh)


def host_facts(engine: Engine, read: Read = _read, *, fresh: bool = False) -> HostFacts:
    """What the host offers to links; without an image to try it with, only whether the device is there.

    A device that is gone from this machine is looked for again, whatever is remembered.
    """
    image = image_reference("fabric")
    if engine.image_id(image) is None:
        return HostFacts(tun=has_tun(), netem=False)
    return read(engine.info(), image, fresh or not has_tun())


def choices(topology: Topology, facts: HostFacts) -> tuple[Choice, ...]:
    """The best driver for each link, with what it falls short of."""
    return tuple(choose(link, facts) for link in topology.links)


def chosen_drivers(topology: Topology, facts: HostFacts) -> dict[str, str]:
    """The driver of each link, by the link's name."""
    return {choice.link: choice.driver for choice in choices(topology, facts)}


def laid_drivers(docker: Docker, lab: LabRecord, topology: Topology) -> dict[str, str]:
    """The driver that the fabric laid each link with; for one that is not laid, what `up` would choose today."""
    laid = _laid(docker, lab) if topology.links else {}
    lacking = [link.name for link in topology.links if link.name not in laid]
    chosen = chosen_drivers(topology, host_facts(docker)) if lacking else {}
    return {link.name: laid.get(link.name) or chosen[link.name] for link in topology.links}


def _laid(docker: Docker, lab: LabRecord) -> dict[str, str]:
    if lab.fabric is None or not lab.fabric.running:
        return {}
    try:
        with open_fabric(docker, lab.fabric.name) as fabric:
            return {name: link["driver"] for name, link in fabric.call("link_state").items()}
    except FabricError:
        return {}  # `status` tells of a fabric that does not answer


def needing_tun(topology: Topology) -> tuple[str, ...]:
    """What cannot be made without /dev/net/tun: links that do not accept it, and virtual machines."""
    without = choices(topology, HostFacts(tun=False, netem=False))
    links = [f"link {choice.link}" for choice in without if not choice.possible]
    machines = [f"virtual machine {node.path}" for node in topology.nodes if node.kind == "vm"]
    return (*links, *machines)


def refuse_impossible(topology: Topology, facts: HostFacts) -> None:
    """Refuse what this host cannot keep and the topology does not accept."""
    needing = needing_tun(topology)
    if needing and not facts.tun:
        raise TunMissingError(
            f"/dev/net/tun is missing, and these need it: {', '.join(needing)}",
            hint="modprobe tun; or let the links accept what is lost, as in `accept: [rate, delay, jitter, loss]`",
            step="preflight",
        )
    refused = [choice.reason for choice in choices(topology, facts) if not choice.possible]
    if refused:
        raise LinkImpossibleError("; ".join(refused), step="preflight")


def degradations(topology: Topology, facts: HostFacts) -> list[str]:
    """What is lost with the topology's consent, a line for each link."""
    return [
        f"link {choice.link} is degraded, as it accepts: without {', '.join(choice.degraded)} (driver {choice.driver})"
        for choice in choices(topology, facts)
        if choice.degraded
    ]
