"""What a disturbing check has to put back, noted before it disturbs, so that after a SIGKILL the next command can."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from epolab.errors import WorldError

Fate = Literal["restore", "drop", "keep"]


@dataclass(frozen=True, slots=True)
class Undo:
    """One thing to put back: a shell command on a node. It must be safe to run twice, and when nothing was done.

    `keepers` are the nodes whose disks hold what was disturbed; none means that it lives in the node's processes and
    kernel, and is gone as soon as the node is started anew.
    """

    node: str
    command: str
    reason: str
    keepers: tuple[str, ...] = ()


def _always(_undo: Undo, _written: float) -> Fate:
    return "restore"


class Journal:
    """The undo notes of one lab, a file each; `restore` runs an undo and raises when it fails."""

    def __init__(self, folder: Path, restore: Callable[[Undo], None]) -> None:
        self._folder = folder
        self._restore = restore

    @contextmanager
    def undone_by(self, *undos: Undo) -> Iterator[None]:
        """Note how to put back what the body does; put all of it back at the end, last first, whatever happens."""
        with ExitStack() as stack:
            for undo in undos:
                stack.callback(self._undo, self._note(undo), undo)
            yield

    def pending(self) -> tuple[tuple[Path, Undo], ...]:
        """The notes that an earlier command left, newest first."""
        paths = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return tuple((path, _read(path)) for path in paths)

    def replay(self, fate: Callable[[Undo, float], Fate] = _always) -> tuple[Undo, ...]:
        """Put back what earlier commands left undone; returns what was put back.

        `fate` says of an undo, and of when it was noted (seconds since the epoch), what becomes of it. Every undo is
        tried; the first failure is raised afterwards, and the notes of those that failed stay.
        """
        done: list[Undo] = []
        failures: list[WorldError] = []
        for path, undo in self.pending():
            verdict = fate(undo, path.stat().st_mtime)
            if verdict == "drop":
                path.unlink(missing_ok=True)
            if verdict == "restore":
                try:
                    self._undo(path, undo)
                except WorldError as error:
                    failures.append(error)
                else:
                    done.append(undo)
        if failures:
            raise failures[0]
        return tuple(done)

    def _note(self, undo: Undo) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{uuid.uuid4().hex}.json"
        partial = path.with_suffix(".partial")
        with partial.open("w") as file:
            file.write(json.dumps(asdict(undo)))
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
        return path

    def _undo(self, path: Path, undo: Undo) -> None:
        self._restore(undo)
        path.unlink(missing_ok=True)


def _read(path: Path) -> Undo:
    record = json.loads(path.read_text())
    return Undo(**{**record, "keepers": tuple(record.get("keepers", ()))})
