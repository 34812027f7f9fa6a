"""Whose turn it is on a lab: checks that only look go beside each other, what measures or disturbs goes alone."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from epolab.hands.reader_lock import reader_lock

# the longest module that disturbs, on a large lab, and then some
LIMIT_SECONDS = 900.0


def turn(folder: Path, *, alone: bool, limit_seconds: float = LIMIT_SECONDS) -> AbstractContextManager[None]:
    """Hold the lab of this folder for the block; LabBusyError when others do not let go of it in time."""
    return reader_lock(folder / "locks" / "verify", alone=alone, limit_seconds=limit_seconds)


class Turns:
    """The turn of one run: kept from check to check as long as they are of one place, such as an acceptance file."""

    def __init__(self, folder: Path, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._folder = folder
        self._limit_seconds = limit_seconds
        self._stack = ExitStack()
        self._place: str | None = None

    def enter(self, place: str, *, alone: bool) -> None:
        """Wait for the turn of a place, unless it is held already."""
        if place == self._place:
            return
        self.leave()
        self._stack.enter_context(turn(self._folder, alone=alone, limit_seconds=self._limit_seconds))
        self._place = place

    def leave(self) -> None:
        """Let the others have their turn."""
        self._place = None
        self._stack.close()
