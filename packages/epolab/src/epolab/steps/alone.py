"""The turn of whoever measures or puts back, alone on the lab: it says for whom it waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from epolab.errors import LabBusyError
from epolab.verify.turns import LIMIT_SECONDS, turn


@contextmanager
def alone(folder: Path, warn: Callable[[str], None], limit_seconds: float = LIMIT_SECONDS) -> Iterator[None]:
    """Hold the lab of this folder for the block; LabBusyError when a verification does not let go of it in time."""
    with ExitStack() as stack:
        try:
            stack.enter_context(turn(folder, alone=True, limit_seconds=0))
        except LabBusyError as busy:
            warn(f"waiting: {busy.message}")
            stack.enter_context(turn(folder, alone=True, limit_seconds=limit_seconds))
        yield
