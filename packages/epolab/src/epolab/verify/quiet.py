"""Silence on the lab's lines for a measurement: its services are stopped where they stand, and go on afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from epolab.hands.journal import Undo
from epolab.model.topology import Topology
from epolab.verify.witness import Witness

TALKATIVE = ("server", "handler", "updates", "agent")
_EACH = "for each in /etc/service/cmdagent /etc/service/cmamesh /etc/service/miniepo-*; do [ -d $each ] && {act}; done"
PAUSE = _EACH.format(act="sv pause $each") + "; true"
GO_ON = _EACH.format(act="sv cont $each") + "; true"


def talkative(topology: Topology) -> list[str]:
    """The nodes whose services use the lines."""
    return [node.path for node in topology.nodes if any(node.has(component) for component in TALKATIVE)]


@contextmanager
def quiet(witness: Witness) -> Iterator[None]:
    """Pause the services of every node for the length of the block; the journal lets them go on after a kill."""
    nodes = [path for path in talkative(witness.topology) if witness.runs(path)]
    with (
        witness.journal.undone_by(*(Undo(node, GO_ON, "services paused") for node in nodes)),
        ThreadPoolExecutor(8) as pool,
    ):
        list(pool.map(lambda node: witness.must(node, PAUSE), nodes))
        yield
