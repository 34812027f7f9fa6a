"""Messages on the DataChannel to all agents of a lab at once: what became of them, at the server and in its queue."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from epolab.errors import TimeoutExceededError
from epolab.hands.until import pause, until
from epolab.model import facts
from epolab.model.node import Node
from epolab.verify.callins import server_time
from epolab.verify.datachannel_plan import Answer, Round, Rounds, expected_way
from epolab.verify.policy_change import names_of
from epolab.verify.ways import limit_seconds
from epolab.verify.witness import Witness

CALL_IN = "runuser -u mfeagent -- miniepo ctl callin </dev/null >/dev/null 2>&1 &"
COUNT = "select count(*) as count from epoagenthandlerdatachannelwq"
STUCK = "select * from epoagenthandlerdatachannelwq where Finished is NULL"
PSQL = "cd / && chpst -u postgres psql -At -d epo -c '{statement}'"
EXPIRES_SECONDS = 300
MORE_ROUNDS = 4
"""An agent calls in by itself too: an answer that a call-in came before proves nothing, and is asked for again."""
PAUSE_SECONDS = 0.2
SHIFT_SECONDS = 0.5
"""A round that an agent ends by calling in begins with the next one anew: without a shift, those that call in shortly
after that agent would do so in every round."""
NODES_AT_A_TIME = 8


@dataclass
class Channel:
    """What was sent and what came of it: rounds and system numbers by node path, the sizes of the batches in the queue,
    and what the published statements said afterwards."""

    rounds: dict[str, Rounds] = field(default_factory=dict)
    systems: dict[str, int] = field(default_factory=dict)
    batches: dict[str, int] = field(default_factory=dict)
    count: int = 0
    open_rows: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message on its way: its batch in the queue, its correlation id, and when and with which text it went."""

    batch: str
    correlation: str
    begun: Round


def observe(witness: Witness) -> Channel:
    """Send a message to every agent at once, and again to those of which nothing can be said yet.

    Those whom nobody can tell are told on their nodes to call in when the others have answered.
    """
    nodes = witness.running(facts.agents(witness.topology))
    way = {node.path: expected_way(witness.topology, node) for node in nodes}
    told = [node for node in nodes if way[node.path] in ("at once", "either")]
    others = [node for node in nodes if node not in told]
    silent = [node for node in others if way[node.path] == "after a call-in"]
    seen = Channel({node.path: Rounds() for node in nodes}, _systems(witness, nodes))
    first = _send(witness, nodes, seen)
    _gather(witness, told, first, seen)
    have_called(witness, silent)
    _until_clear(witness, [node for node in told if way[node.path] == "at once"], seen)
    _gather(witness, others, first, seen)
    seen.count = int(ask_sql(witness, COUNT)[0])
    seen.open_rows = ask_sql(witness, STUCK)
    return seen


def have_called(witness: Witness, nodes: Sequence[Node]) -> None:
    """Tell agents to call in, and leave them to it: who is in a call already calls again."""
    with ThreadPoolExecutor(NODES_AT_A_TIME) as pool:
        list(pool.map(lambda node: witness.must(node.path, CALL_IN), nodes))


def _until_clear(witness: Witness, nodes: Sequence[Node], seen: Channel) -> None:
    """Ask those again whose answer a call-in may have brought; one that does not answer is wrong already."""
    for number in range(1, 1 + MORE_ROUNDS):
        left = [node for node in nodes if seen.rounds[node.path].rounds[-1].answers]
        left = [node for node in left if not seen.rounds[node.path].clear]
        if not left:
            return
        pause(number * SHIFT_SECONDS)
        _gather(witness, left, _send(witness, left, seen), seen)


def _send(witness: Witness, nodes: Sequence[Node], seen: Channel) -> Sent:
    text, now = f"verdict-{uuid.uuid4().hex}", server_time(witness)
    arguments = {"names": names_of(nodes), "text": text, "expiresSeconds": str(EXPIRES_SECONDS)}
    sent = witness.api("miniepo.sendChannelMessage", **arguments)
    seen.batches[sent["batch"]] = sent["systems"]
    return Sent(sent["batch"], sent["correlation"], Round(now, text))


def _gather(witness: Witness, nodes: Sequence[Node], sent: Sent, seen: Channel) -> None:
    """Wait until each of these has answered, as long as that may take, and note what came of the message."""
    answers: dict[str, list[dict[str, Any]]] = {}
    limit = limit_seconds(nodes)
    names = {node.name for node in nodes if expected_way(witness.topology, node) != "none"}

    def answered() -> bool:
        answers["all"] = witness.api("miniepo.listChannelAnswers", correlation=sent.correlation)
        return names <= {answer["name"] for answer in answers["all"]}

    with suppress(TimeoutExceededError):  # who does not answer is told agent by agent
        until(answered, what="answers on the DataChannel", limit_seconds=limit, pause_seconds=PAUSE_SECONDS)
    items = {item["target"]: item for item in witness.api("miniepo.listChannelItems", batch=sent.batch)}
    calls = witness.api("miniepo.listCallins", since=str(sent.begun.sent - 5))
    for node in nodes:
        item = items.get(seen.systems[node.path], {"outcome": None, "message": "not queued", "guid": None})
        result = replace(
            sent.begun,
            outcome=item["outcome"],
            message=item["message"],
            answers=answers_of(answers["all"], item["guid"]),
            callins=tuple(call["received"] for call in calls if call["fqdn"] == node.fqdn),
        )
        seen.rounds[node.path].rounds.append(result)


def _systems(witness: Witness, nodes: Sequence[Node]) -> dict[str, int]:
    rows = {row["EPOComputerProperties.IPHostName"]: row for row in witness.api("system.find", searchText="")}
    return {node.path: int(rows[node.fqdn]["EPOComputerProperties.ParentID"]) for node in nodes}


def answers_of(answers: Sequence[dict[str, Any]], guid: str | None) -> tuple[Answer, ...]:
    """What one agent said, in the order in which it came."""
    return tuple(
        Answer(each["handler"], each["received"], str(each["payload"].get("text")))
        for each in answers
        if each["guid"] == guid and each["kind"] == "echoed"
    )


def ask_sql(witness: Witness, statement: str) -> list[str]:
    """A published statement as it stands, on the node of the database; the lines of its answer."""
    return witness.must(facts.sql(witness.topology).path, PSQL.format(statement=statement)).splitlines()
