"""A lab that lives only as long as the command that made it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from epolab.errors import EpolabError, InterruptedByUserError
from epolab.hands.docker import Docker
from epolab.model.topology import Topology
from epolab.steps.down import take_down
from epolab.steps.names import owner_name
from epolab.steps.progress import Progress
from epolab.steps.up import Wish, up
from epolab.topology import load_topology


def attached(
    wish: Wish, progress: Progress, *, keep_on_failure: bool, wait: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Bring the lab up, wait, and remove it, whatever happens meanwhile."""
    topology: Topology = load_topology(wish.file)
    lab = wish.name or topology.name
    try:
        document = up(wish, progress)
        wait(document)
    except (KeyboardInterrupt, InterruptedByUserError) as error:
        _remove(lab, progress)
        raise InterruptedByUserError(f"interrupted: lab {lab} is removed") from error
    except EpolabError as error:
        if keep_on_failure:
            raise
        _remove(lab, progress)
        error.evidence.append(f"lab {lab} is removed; --keep-on-failure keeps it")
        raise
    _remove(lab, progress)
    return document


def _remove(lab: str, progress: Progress) -> None:
    take_down(Docker.connect(), lab, owner_name(), progress.note)
