"""Undoes what a verification that was killed had disturbed, as far as it is still so."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from epolab.errors import LabBusyError, NotReadyError, WorldError
from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.hands.journal import Fate, Journal, Undo
from epolab.hands.until import until
from epolab.model.topology import Topology
from epolab.provider.labels import node_container
from epolab.steps.alone import alone
from epolab.verify.turns import turn

if TYPE_CHECKING:
    from epolab.verify.witness import Witness

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


Standings = Mapping[str, Standing | None]


class Inspector(Protocol):
    """As much of the container runtime as is needed to see how a container stands."""

    def inspect(self, name: str) -> dict[str, Any] | None:
        """A container in full; None if there is none."""


def replay_notes(
    docker: Docker, lab: str, topology: Topology, warn: Callable[[str], None], kinds: Iterable[Kind] = KINDS
) -> None:
    """Replay these kinds of the lab's undo notes, alone on the lab; NotReadyError when a node for it does not run."""
    refuse_waiting(lab, topology, replay_possible(docker, lab, topology, warn, kinds))


def replay_possible(
    docker: Docker, lab: str, topology: Topology, warn: Callable[[str], None], kinds: Iterable[Kind] = KINDS
) -> dict[str, str]:
    """Replay what can be; gives what is left disturbed by each node (path) that does not run and is needed for it.

    Every kind is tried; the first failure is raised afterwards.
    """
    folder = LabFolder.of(lab).path
    if not any((folder / "journal").glob("*.json")):
        return {}
    from epolab.verify.witness import Witness  # here, because it imports testinfra

    witness = Witness(lab, topology, folder)
    failures: list[WorldError] = []
    with alone(folder, warn):
        standings = read_standings(docker, lab, topology)
        for kind in kinds:
            try:
                _replay(witness, kind, standings)
            except WorldError as error:
                failures.append(error)
        left = [undo for undo in kept(witness.journal, standings) if kind_of(undo) in kinds]
    if failures:
        raise failures[0]
    return waiting_for(left, standings)


def _replay(witness: Witness, kind: Kind, standings: Standings) -> None:
    def own_fate(undo: Undo, written: float) -> Fate:
        return fate(undo, written, standings) if kind_of(undo) == kind else "keep"

    pending = [own_fate(undo, path.stat().st_mtime) for path, undo in witness.journal.pending()]
    if kind == "stored" and "restore" in pending:
        _until_answered(lambda: witness.api("miniepo.now"))
    witness.journal.replay(own_fate)


def kept(journal: Journal, standings: Standings) -> list[Undo]:
    """The notes that wait for nodes that do not run."""
    return [undo for path, undo in journal.pending() if fate(undo, path.stat().st_mtime, standings) == "keep"]


def waiting_for(undos: Iterable[Undo], standings: Standings) -> dict[str, str]:
    """What is left disturbed, by each node that does not run and is needed to put it back."""
    reasons: dict[str, list[str]] = {}
    for undo in undos:
        for path in needed(undo):
            if not _runs(standings.get(path)):
                reasons.setdefault(path, []).append(undo.reason)
    return {path: ", ".join(dict.fromkeys(those)) for path, those in reasons.items()}


def left_disturbed(docker: Inspector, lab: str, topology: Topology) -> list[Undo]:
    """What is still to be put back in a lab; nothing of it is left while somebody disturbs it now."""
    folder = LabFolder.of(lab).path
    if not any((folder / "journal").glob("*.json")):
        return []
    try:
        with turn(folder, alone=False, limit_seconds=0):
            standings = read_standings(docker, lab, topology)
            pending = Journal(folder / "journal", _leave).pending()
            return [undo for path, undo in pending if fate(undo, path.stat().st_mtime, standings) != "drop"]
    except LabBusyError:
        return []


def _leave(undo: Undo) -> None:
    raise AssertionError(f"who only looks puts nothing back: {undo.reason}")


def kind_of(undo: Undo) -> Kind:
    """Where what was disturbed lives."""
    return "stored" if undo.keepers else "passing"


def read_standings(docker: Inspector, lab: str, topology: Topology) -> Standings:
    """How the containers of the declared nodes stand, by path."""
    return {node.path: standing(docker, node_container(lab, node.path)) for node in topology.nodes}


def standing(docker: Inspector, container: str) -> Standing | None:
    """How a container stands; None if there is none."""
    seen = docker.inspect(container)
    if seen is None:
        return None
    return Standing(seen["State"]["Running"], _moment(seen["Created"]), _moment(seen["State"]["StartedAt"]))


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def fate(undo: Undo, written: float, standings: Standings) -> Fate:
    """What becomes of a note: dropped when what was disturbed is gone, kept while a node for it does not run."""
    if undo.node not in standings:
        return "drop"
    there = standings[undo.node]
    if undo.keepers:
        keepers = [standings.get(path) for path in undo.keepers]
        if all(keeper is None or keeper.created > written for keeper in keepers):
            return "drop"
    elif there is not None and there.started > written:
        return "drop"
    return "restore" if all(_runs(standings.get(path)) for path in needed(undo)) else "keep"


def needed(undo: Undo) -> tuple[str, ...]:
    """The nodes that must run for an undo: its own, and those whose disks are put right."""
    return tuple(dict.fromkeys((undo.node, *undo.keepers)))


def _runs(there: Standing | None) -> bool:
    return there is not None and there.running


def _until_answered(ask: Callable[[], object]) -> None:
    """The server may have been started a moment ago."""

    def answered() -> bool:
        try:
            ask()
        except WorldError:
            return False
        return True

    until(answered, what="the server's Web API answers", limit_seconds=SERVER_LIMIT_SECONDS, pause_seconds=0.5)


def refuse_waiting(lab: str, topology: Topology, waiting: Collection[str]) -> None:
    """NotReadyError when notes wait for these nodes, which do not run."""
    if waiting:
        raise NotReadyError(
            f"a verification of {lab} was killed, and what it disturbed cannot be put back: "
            f"{', '.join(sorted(waiting))} does not run",
            hint=f"epolab up {shlex.quote(topology.file)} --name {lab}",
            step="replay",
        )
