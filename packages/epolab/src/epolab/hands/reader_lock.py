"""A lock that many readers may hold together, or one writer alone; the kernel lets go of it when its holder dies."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from epolab.errors import LabBusyError
from epolab.hands.lock_holders import holders

PAUSE_SECONDS = 0.1


@contextmanager
def reader_lock(
    path: Path, *, alone: bool, limit_seconds: float, pause: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Hold the lock at `path`, shared or alone; LabBusyError when it is not free within the limit."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a") as file:
        _take(file, fcntl.LOCK_EX if alone else fcntl.LOCK_SH, limit_seconds, pause)
        yield


def _take(file: IO[str], kind: int, limit_seconds: float, pause: Callable[[float], None]) -> None:
    waited = 0.0
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if waited >= limit_seconds:
                waited_for = f" after {limit_seconds:.0f} s" if limit_seconds else ""
                raise LabBusyError(
                    f"the lab is examined or measured by {holders(file.fileno())}{waited_for}",
                    hint="wait for it to end, or end it",
                ) from error
            pause(PAUSE_SECONDS)
            waited += PAUSE_SECONDS
        else:
            return
