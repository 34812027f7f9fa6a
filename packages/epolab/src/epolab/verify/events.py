"""The events that agents deliver, as the server has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from contextlib import suppress

from epolab.errors import TimeoutExceededError
from epolab.hands.until import until
from epolab.model.node import Node
from epolab.verify.ways import limit_seconds
from epolab.verify.witness import Witness


def await_events(witness: Witness, node: Node, texts: Collection[str], limit: float | None = None) -> Counter[str]:
    """Wait until the server has an event of an agent with each of these texts; how often it has each text then.

    A call-in is recorded when its session begins, and events come at its end: at a call-in they are not there yet.
    """
    found: Counter[str] = Counter()

    def all_there() -> bool:
        found.clear()
        found.update(row["text"] for row in witness.api("miniepo.listEvents", name=node.fqdn))
        return all(found[text] for text in texts)

    patience = limit_seconds([node]) if limit is None else limit
    with suppress(TimeoutExceededError):  # what is missing is counted as 0 and told by its check
        until(all_there, what=f"the events of {node.path} arrive", limit_seconds=patience)
    return found
