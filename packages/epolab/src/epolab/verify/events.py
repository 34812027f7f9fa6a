"""The events that agents deliver, as the server has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from epolab.errors import TimeoutExceededError
from epolab.hands.until import until
from epolab.verify.witness import Witness

PAUSE_SECONDS = 0.25
ASKED_AT_ONCE = 4


def await_events(
    witness: Witness, wanted: Mapping[str, Collection[str]], limit_seconds: float
) -> dict[str, Counter[str]]:
    """Wait, once for all, until the server has an event of each agent (node path) with each of its texts.

    Gives how often it has each text of each agent then, by a last look at all. A call-in is recorded when its session
    begins, and events come at its end: at a call-in they are not there yet.
    """
    names = {path: witness.topology.node(path).fqdn for path in wanted}
    found: dict[str, Counter[str]] = {path: Counter() for path in wanted}

    def look(path: str) -> None:
        rows = witness.api("miniepo.listEvents", name=names[path])
        found[path] = Counter(row["text"] for row in rows)

    def all_there() -> bool:
        list(pool.map(look, wanted.keys() - complete))
        complete.update(path for path, texts in wanted.items() if all(found[path][text] for text in texts))
        return len(complete) == len(wanted)

    complete: set[str] = set()
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        with suppress(TimeoutExceededError):  # what is missing is counted as 0 and told by its check
            until(all_there, what="events", limit_seconds=limit_seconds, pause_seconds=PAUSE_SECONDS)
        list(pool.map(look, wanted))  # what came twice since it was seen first
    return found
