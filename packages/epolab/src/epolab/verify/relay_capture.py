"""Looking into what passes relays while agents behind them live: what the relay's own node can read of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources

from epolab.model import facts
from epolab.model.topology import Topology
from epolab.verify.witness import Witness

PROGRAM = resources.files("epolab.verify").joinpath("relay_capture_program.py").read_text()


@dataclass(frozen=True, slots=True)
class Capture:
    """What was seen on one relay: requests by client address, bytes and sealed packets that passed, secrets read.

    `whole` says whether it was looked into to the end.
    """

    asked: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    sealed: int = 0
    read: tuple[str, ...] = ()
    whole: bool = True


@contextmanager
def captured(
    witness: Witness, topology: Topology, relays: Sequence[str], secrets: Sequence[str], longest_seconds: float
) -> Iterator[dict[str, Capture]]:
    """All that passes these relays (paths) during the block, which may take so long; the captures are there then."""
    captures: dict[str, Capture] = {}
    stop = f"/run/verdict-{uuid.uuid4().hex}"
    with ThreadPoolExecutor(max(1, len(relays))) as pool:
        asked = {"secrets": list(secrets), "stop": stop, "timeout_s": longest_seconds}
        running = {path: pool.submit(_capture, witness, topology, path, asked) for path in relays}
        try:
            yield captures
        finally:
            _end(witness, running, stop)
        captures |= {path: future.result() for path, future in running.items()}


def _capture(witness: Witness, topology: Topology, path: str, asked: Mapping[str, object]) -> Capture:
    port = facts.relay_port(topology, topology.node(path))
    seen = witness.python(path, PROGRAM, {"port": port, **asked}, line="capture")
    return Capture(seen["asked"], seen["bytes"], seen["sealed"], tuple(seen["read"]), seen["whole"])


def _end(witness: Witness, running: dict[str, Future[Capture]], stop: str) -> None:
    for path in running:
        witness.must(path, f"touch {stop}")
    for path, future in running.items():
        future.exception()
        witness.must(path, f"rm -f {stop}")
