"""Topology files: reading, resolving and checking them."""

from epolab.topology.load import Loaded, load, load_text, load_topology, problems_of

__all__ = ["Loaded", "load", "load_text", "load_topology", "problems_of"]
