"""Undoes what a verification that was killed had disturbed, as far as it is still so."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from epolab.errors import LabBusyError, NotReadyError, WorldError
from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.hands.journal import Fate, Journal, Undo
from epolab.hands.until import until
from epolab.model.topology import Topology
from epolab.provider.labels import node_container
from epolab.verify.turns import turn

# what lives in processes and kernels; what lives on disks, and is put back through the server
Kind = Literal["passing", "stored"]
KINDS: tuple[Kind, ...] = ("passing", "stored")
SERVER_LIMIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How a node's container stands; the moments in seconds since the epoch."""

    running: bool
    created: float
    started: float


def replay_notes(docker: Docker, lab: str, topology: Topology, kinds: Iterable[Kind] = KINDS) -> None:
    """Replay these kinds of the lab's undo notes, alone on the lab; NotReadyError when a node for it does not run."""
    folder = LabFolder.of(lab).path
    if not any((folder / "journal").glob("*.json")):
        return
    from epolab.verify.witness import Witness  # here, because it imports testinfra

    witness = Witness(lab, topology, folder)
    with turn(folder, alone=True):
        standings = {node.path: standing(docker, node_container(lab, node.path)) for node in topology.nodes}
        for kind in kinds:
            judged = [(undo, fate(undo, path.stat().st_mtime, standings)) for path, undo in witness.journal.pending()]
            own = [(undo, verdict) for undo, verdict in judged if kind_of(undo) == kind]
            if kind == "stored" and any(verdict == "restore" for _, verdict in own):
                _until_answered(lambda: witness.api("miniepo.now"))
            witness.journal.replay(
                lambda undo, written, kind=kind: fate(undo, written, standings) if kind_of(undo) == kind else "keep"  # type: ignore[misc]
            )
            _refuse_waiting(lab, topology, [undo for undo, verdict in own if verdict == "keep"])


def left_disturbed(folder: Path) -> list[Undo]:
    """What is still to be put back in the lab of this folder; nothing of it is left while somebody disturbs it now."""
    if not any((folder / "journal").glob("*.json")):
        return []
    try:
        with turn(folder, alone=False, limit_seconds=0):
            return [undo for _, undo in Journal(folder / "journal", _leave).pending()]
    except LabBusyError:
        return []


def _leave(undo: Undo) -> None:
    raise AssertionError(f"who only looks puts nothing back: {undo.reason}")


def kind_of(undo: Undo) -> Kind:
    """Where what was disturbed lives."""
    return "stored" if undo.keepers else "passing"


def standing(docker: Docker, container: str) -> Standing | None:
    """How a container stands; None if there is none."""
    seen = docker.inspect(container)
    if seen is None:
        return None
    return Standing(seen["State"]["Running"], _moment(seen["Created"]), _moment(seen["State"]["StartedAt"]))


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def fate(undo: Undo, written: float, standings: Mapping[str, Standing | None]) -> Fate:
    """What becomes of a note: dropped when what was disturbed is gone, kept while its node does not run."""
    if undo.node not in standings:
        return "drop"
    there = standings[undo.node]
    if undo.keepers:
        keepers = [standings.get(path) for path in undo.keepers]
        if all(keeper is None or keeper.created > written for keeper in keepers):
            return "drop"
    elif there is not None and there.started > written:
        return "drop"
    return "restore" if there is not None and there.running else "keep"


def _until_answered(ask: Callable[[], object]) -> None:
    """The server may have been started a moment ago."""

    def answered() -> bool:
        try:
            ask()
        except WorldError:
            return False
        return True

    until(answered, what="the server's Web API answers", limit_seconds=SERVER_LIMIT_SECONDS, pause_seconds=0.5)


def _refuse_waiting(lab: str, topology: Topology, waiting: list[Undo]) -> None:
    if waiting:
        nodes = ", ".join(sorted({undo.node for undo in waiting}))
        raise NotReadyError(
            f"a verification of {lab} was killed, and what it disturbed cannot be put back: {nodes} does not run",
            hint=f"epolab up {shlex.quote(topology.file)} --name {lab}",
            step="replay",
        )
