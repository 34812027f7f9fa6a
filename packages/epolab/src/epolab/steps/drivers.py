"""Which driver each link of a lab gets on this host."""

from __future__ import annotations

from epolab.model.topology import Topology


def chosen_drivers(topology: Topology) -> dict[str, str]:
    """The driver of each link, by the link's name."""
    return {link.name: "cable" if link.shaped else "none" for link in topology.links}
