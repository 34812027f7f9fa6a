"""A lab that lives only as long as the command that made it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from epolab.errors import EpolabError, InterruptedByUserError, LabBusyError
from epolab.hands.docker import Docker
from epolab.hands.files import LabFolder
from epolab.steps.down import take_down
from epolab.steps.labs import find_lab
from epolab.steps.names import checked_lab_name, owner_name
from epolab.steps.progress import Progress
from epolab.steps.up import Wish, up
from epolab.topology import load_topology


def attached(
    wish: Wish, progress: Progress, *, keep_on_failure: bool, wait: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Bring the lab up, wait, and remove it; a lab that was there before outlives an `up` that fails."""
    lab = checked_lab_name(wish.name or load_topology(wish.file).name)
    document = _begin(wish, progress, lab, keep_on_failure=keep_on_failure)
    try:
        wait(document)
    except KeyboardInterrupt as error:
        _remove(lab, progress)
        raise InterruptedByUserError(f"interrupted: lab {lab} is removed") from error
    except BaseException:
        _remove(lab, progress)
        raise
    _remove(lab, progress)
    return document


def _begin(wish: Wish, progress: Progress, lab: str, *, keep_on_failure: bool) -> dict[str, Any]:
    """Bring the lab up; what was made is removed again if that fails, but never what somebody else has made."""
    made_here = not is_there(lab)
    try:
        return up(wish, progress)
    except (KeyboardInterrupt, InterruptedByUserError) as error:
        if not made_here:
            raise
        _remove(lab, progress)
        raise InterruptedByUserError(f"interrupted: lab {lab} is removed") from error
    except EpolabError as error:
        if keep_on_failure or not made_here or isinstance(error, LabBusyError):
            raise
        _remove(lab, progress)
        error.evidence.append(f"lab {lab} is removed; --keep-on-failure keeps it")
        raise


def is_there(lab: str) -> bool:
    """Whether there is anything of a lab: a container or its folder."""
    return LabFolder.of(lab).path.exists() or find_lab(Docker.connect(), lab) is not None


def _remove(lab: str, progress: Progress) -> None:
    take_down(Docker.connect(), lab, owner_name(), progress.note)
