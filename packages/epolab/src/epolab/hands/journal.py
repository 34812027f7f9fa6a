"""What a disturbing check has to put back, noted before it disturbs, so that after a SIGKILL the next command can."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Undo:
    """One thing to put back: a shell command on a node. It must be safe to run twice, and when nothing was done."""

    node: str
    command: str
    reason: str


class Journal:
    """The undo notes of one lab, a file each; `restore` runs an undo and raises when it fails."""

    def __init__(self, folder: Path, restore: Callable[[Undo], None]) -> None:
        self._folder = folder
        self._restore = restore

    @contextmanager
    def undone_by(self, *undos: Undo) -> Iterator[None]:
        """Note how to put back what the body does; put it back at the end, whatever happens."""
        notes = [(self._note(undo), undo) for undo in undos]
        try:
            yield
        finally:
            for path, undo in reversed(notes):
                self._undo(path, undo)

    def pending(self) -> tuple[tuple[Path, Undo], ...]:
        """The notes that an earlier command left, newest first."""
        paths = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return tuple((path, Undo(**json.loads(path.read_text()))) for path in paths)

    def replay(self) -> tuple[Undo, ...]:
        """Put back what earlier commands left undone; returns what was put back."""
        pending = self.pending()
        for path, undo in pending:
            self._undo(path, undo)
        return tuple(undo for _, undo in pending)

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
