"""Undoes what a verification that was killed had disturbed."""

from __future__ import annotations

from epolab.steps.labs import find_lab
from epolab.steps.work import Work


def replay_notes(work: Work) -> None:
    """Replay the undo notes of the lab's journal, if it has any and there is a lab to act on."""
    notes = work.folder.path / "journal"
    if not notes.is_dir() or not any(notes.iterdir()) or find_lab(work.docker, work.lab) is None:
        return
    from epolab.verify.run import replay  # here, because it imports the whole test runner

    replay(work.lab, work.topology, work.folder.path)
