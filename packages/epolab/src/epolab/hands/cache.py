"""What is dear to make, kept in a cache: each entry is named by what it is made of, and whole or not there."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from epolab.hands.files import cache_home


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold a lock file; another maker waits here, and a killed one has let go."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class Cache:
    """One kind of things, for instance `images`; an entry is a folder."""

    def __init__(self, kind: str, home: Path | None = None) -> None:
        self._folder = (home or cache_home()) / kind

    def find(self, key: str) -> Path | None:
        """The entry, or None if it was never finished."""
        entry = self._folder / key
        return entry if entry.is_dir() else None

    def busy(self, word: str) -> AbstractContextManager[None]:
        """Hold this kind of work on this host alone, for as long as the block lasts."""
        return alone(self._folder / f".{word}.lock")

    def make(self, key: str, fill: Callable[[Path], None]) -> Path:
        """The entry, made now if it is not there; `fill` writes into a folder that gets its name only when done."""
        with self.busy(key):
            found = self.find(key)
            if found:
                return found
            unfinished = self._folder / f".{key}.unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            fill(unfinished)
            return unfinished.rename(self._folder / key)
