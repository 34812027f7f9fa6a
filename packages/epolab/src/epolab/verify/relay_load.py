"""Has the agents behind relays draw their relays anew, all at once, and reads at the server which ones they drew."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

from epolab.errors import TimeoutExceededError
from epolab.hands.until import until
from epolab.verify.callins import server_time
from epolab.verify.relay_load_plan import Arrival, Broken, Crowd, crowds, wrong_arrivals, wrong_shares
from epolab.verify.ways import limit_seconds
from epolab.verify.witness import Witness

ORDER = "runuser -u mfeagent -- miniepo ctl callin --forget"
PAUSE_SECONDS = 0.5
DRAWS = 2
"""All agents ask in the same moment, so a relay that the machine runs just then may be ahead at most of them, once; a
relay that is always ahead is so in both draws."""


def crowd_of(witness: Witness, path: str) -> Crowd:
    """The crowd that is named by its first node (path), without nodes that do not run: these are told of anyway."""
    crowd = next(crowd for crowd in crowds(witness.topology) if crowd.nodes[0].path == path)
    return replace(crowd, nodes=tuple(witness.running(crowd.nodes)))


def load_troubles(witness: Witness, crowd: Crowd) -> Broken:
    """What is wrong with how a crowd draws its relays anew; a draw that is uneven is repeated, once."""
    broken: Broken = []
    uneven: Broken = []
    for _ in range(DRAWS):
        seen = drawn_anew(witness, crowd)
        broken += wrong_arrivals(witness.topology, crowd, seen)
        wrong = wrong_shares(witness.topology, crowd, seen)
        if broken or not wrong:
            return broken + wrong
        uneven += wrong
    return uneven


def drawn_anew(witness: Witness, crowd: Crowd) -> dict[str, Arrival]:
    """How each agent (full name) came in after it had forgotten its relays; who did not come is told by the verdict."""
    since, names = server_time(witness), frozenset(crowd.agents)
    seen: dict[str, Arrival] = {}

    def all_came() -> bool:
        seen.update(_arrivals(witness, names, since))
        return len(seen) == len(names)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda node: witness.run(node.path, ORDER), crowd.nodes))
    with suppress(TimeoutExceededError):  # who is missing is told
        until(all_came, what="call-ins", limit_seconds=limit_seconds(crowd.nodes), pause_seconds=PAUSE_SECONDS)
    return seen


def _arrivals(witness: Witness, names: Collection[str], since: float) -> Mapping[str, Arrival]:
    rows = witness.api("miniepo.listCallins", since=str(since))
    told = [row for row in sorted(rows, key=lambda row: row["received"]) if row["reason"] == "manual"]
    return {
        row["fqdn"]: Arrival(row["handler"], row["via_relay"], row["remote_address"])
        for row in told
        if row["fqdn"] in names
    }
