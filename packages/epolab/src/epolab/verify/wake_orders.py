"""One wake-up ordered through the Web API, and what the Server Task Log says of it, system by system."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from epolab.verify.segment_plan import Told, told
from epolab.verify.witness import Witness

TASK = "Wake Up Agents"
ABORT_MINUTES = 0.1
LOOKED_BACK_ROWS = "20"


def order(witness: Witness, names: Collection[str], options: Mapping[str, str]) -> tuple[str, dict[str, Told]]:
    """Wake these systems (full names); the reply, and what the log says of each.

    Two orders at the same time have an entry each, known by the systems that it is about.
    """
    before = {row["id"] for row in _entries(witness)}
    words = {"names": ",".join(names), "abortAfterMinutes": str(ABORT_MINUTES), **options}
    reply = str(witness.api("system.wakeupAgent", **words))
    for row in _entries(witness):
        if row["id"] in before:
            continue
        number = {"taskLogId": str(row["id"])}
        found = told(witness.api("tasklog.listSubtasks", **number), witness.api("tasklog.listMessages", **number))
        if set(names) == found.keys():
            return reply, found
    return reply, {}


def _entries(witness: Witness) -> list[Mapping[str, object]]:
    rows: list[Mapping[str, object]] = witness.api("tasklog.listTaskHistory", taskName=TASK, maxRows=LOOKED_BACK_ROWS)
    return rows
