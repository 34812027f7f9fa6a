"""The events that agents deliver, as the server has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress

from epolab.errors import TimeoutExceededError
from epolab.hands.until import until
from epolab.verify.witness import Witness

PAUSE_SECONDS = 0.5


def await_events(
    witness: Witness, wanted: Mapping[str, Collection[str]], limit_seconds: float
) -> dict[str, Counter[str]]:
    """Wait, once for all, until the server has an event of each agent (node path) with each of its texts.

    Gives how often it has each text of each agent then. A call-in is recorded when its session begins, and events
    come at its end: at a call-in they are not there yet.
    """
    names = {path: witness.topology.node(path).fqdn for path in wanted}
    found: dict[str, Counter[str]] = {path: Counter() for path in wanted}

    def all_there() -> bool:
        for path, texts in wanted.items():
            if path not in complete:
                rows = witness.api("miniepo.listEvents", name=names[path])
                found[path] = Counter(row["text"] for row in rows)
                if all(found[path][text] for text in texts):
                    complete.add(path)
        return len(complete) == len(wanted)

    complete: set[str] = set()
    with suppress(TimeoutExceededError):  # what is missing is counted as 0 and told by its check
        until(all_there, what="events", limit_seconds=limit_seconds, pause_seconds=PAUSE_SECONDS)
    return found
