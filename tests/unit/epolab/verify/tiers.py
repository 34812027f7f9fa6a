"""A topology whose agents draw, move by rules and are served by several handlers."""

from pathlib import Path

from epolab.model.topology import Topology
from epolab.topology import load_topology

TEXT = """
epolab: 1
sites:
  hq:
    nodes:
      epo: {components: [server, sql]}
      ah: {components: handler, count: 2}
      pc: {components: agent}
  shop: {nodes: {till: {components: agent}}}
wan: [{between: [hq, shop]}]
management:
  handler_groups:
    Pair: {handlers: [hq/ah-1, hq/ah-2], spread: true}
  handlers:
    - {group: hq, use: [Pair, hq/epo]}
    - {group: shop, use: [hq/epo, hq/ah-1]}
"""


def tiered(folder: Path, text: str = TEXT) -> Topology:
    """The topology, loaded from a file in this folder."""
    path = folder / "tiers.yaml"
    path.write_text(text)
    return load_topology(path)
