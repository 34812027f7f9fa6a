"""Silence on the lab's lines for a measurement: its services are stopped where they stand, and go on afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from epolab.errors import TimeoutExceededError
from epolab.hands.journal import Undo
from epolab.hands.until import until
from epolab.model.topology import Topology
from epolab.verify.witness import Witness

TALKATIVE = ("server", "handler", "updates", "agent", "swarm")
_EACH = "for each in /etc/service/cmdagent /etc/service/cmamesh /etc/service/miniepo-*; do [ -d $each ] && {act}; done"
PAUSE = _EACH.format(act="sv pause $each") + "; true"
GO_ON = _EACH.format(act="sv cont $each") + "; true"


# neighbours and routers say so much by themselves
STILL_BYTES = 2000
LOOK_SECONDS = 0.5
STILL_LIMIT_SECONDS = 15.0

Counters = Mapping[str, Mapping[str, Mapping[str, Any]]]


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


def until_still(read_counters: Callable[[], Counters], limit_seconds: float = STILL_LIMIT_SECONDS) -> None:
    """Wait until the lines carry next to nothing: kernels go on sending what paused programs had handed to them."""
    before: int | None = None

    def still() -> bool:
        nonlocal before
        earlier, before = before, carried(read_counters())
        return earlier is not None and before - earlier <= STILL_BYTES

    with suppress(TimeoutExceededError):  # what disturbs for longer is found by the measurement
        until(still, what="the lines are still", limit_seconds=limit_seconds, pause_seconds=LOOK_SECONDS)


def carried(counters: Counters) -> int:
    """The bytes that all links have carried, in both directions, as far as they are counted."""
    return sum(side["bytes"] or 0 for link in counters.values() for side in link.values())
