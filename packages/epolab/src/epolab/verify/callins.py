"""The call-ins of agents as the server recorded them: who came to which handler, through which relay, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from epolab.errors import TimeoutExceededError
from epolab.hands.until import until
from epolab.verify.witness import Witness

PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class CallIn:
    """One call-in; `handler` is a node path, `relay` a computer name, `received` in seconds since the epoch."""

    handler: str
    relay: str | None
    reason: str
    received: float

    @property
    def text(self) -> str:
        """Where it went, for people."""
        return f"{self.handler} through relay {self.relay}" if self.relay else self.handler


Wanted = Callable[[CallIn], bool]


def newest(rows: Iterable[Mapping[str, Any]]) -> dict[str, CallIn]:
    """The last call-in of each agent, by its full name in the lab."""
    return {
        row["fqdn"]: CallIn(row["handler"], row["via_relay"], row["reason"], row["received"])
        for row in sorted(rows, key=lambda row: row["received"])
    }


def server_time(witness: Witness) -> float:
    """The server's clock, in seconds since the epoch."""
    return float(witness.api("miniepo.now"))


def await_callins(
    witness: Witness, wanted: Mapping[str, Wanted], since: float, limit_seconds: float
) -> dict[str, CallIn | None]:
    """Wait until the last call-in after `since` of each agent (by node path) is as wanted, or the limit is over.

    Gives the last call-in of each agent then, wanted or not; None where there was none.
    """
    names = {path: witness.topology.node(path).fqdn for path in wanted}
    seen: dict[str, CallIn] = {}

    def all_as_wanted() -> bool:
        seen.update(newest(witness.api("miniepo.listCallins", since=str(since))))
        return all(name in seen and wanted[path](seen[name]) for path, name in names.items())

    with suppress(TimeoutExceededError):  # who is not where it should be is told agent by agent
        until(all_as_wanted, what="call-ins", limit_seconds=limit_seconds, pause_seconds=PAUSE_SECONDS)
    return {path: seen.get(name) for path, name in names.items()}
