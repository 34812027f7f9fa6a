"""Agents that lose their handler: where they go, what they keep for later, and that they come back by rule."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from epolab.errors import WorldError
from epolab.hands.until import seconds
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import HTTPS
from epolab.model.topology import Topology
from epolab.verify.agents import becomes
from epolab.verify.callins import CallIn, await_callins, server_time
from epolab.verify.drawing import CALL_SECONDS, PROGRAM, SOCKET, call_in
from epolab.verify.events import await_events
from epolab.verify.preferred import shared, wake_by_any
from epolab.verify.segment_plan import Told
from epolab.verify.services import HANDLER, stopped
from epolab.verify.ways import Way, goes, limit_seconds, ways
from epolab.verify.witness import Ran, Witness

EVENT = "runuser -u mfeagent -- miniepo ctl event --id 1120 --severity 5 --text {text}"
ENFORCE = "runuser -u mfeagent -- miniepo ctl enforce"
SPOOL = "grep -l {text} /var/lib/miniepo/agent/events/*.json | wc -l"


@dataclass
class Absence:
    """What an agent did while a handler was stopped: `right` are its ways then, empty when it has none."""

    handler: str
    right: tuple[Way, ...]
    home: tuple[Way, ...]
    text: str
    call: CallIn | None = None
    noticed: bool = False
    spooled: int | None = None
    enforced: Ran | None = None
    back: CallIn | None = None
    events: int = 0
    woken: Told | None = None
    """What became of a wake-up that any handler might bring; None where none was ordered."""


@dataclass
class Absences:
    """The first call-in of each agent before anything was stopped, and its absences; by node path.

    All of it happened since `began`, a moment of the server's clock.
    """

    began: float
    before: dict[str, CallIn | None]
    by_agent: dict[str, list[Absence]] = field(default_factory=dict)


def observe(witness: Witness, topology: Topology) -> Absences:
    """Stop each handler that agents use, one after the other, and watch all agents at once.

    While the agents of one handler come back to it, those of the next one lose theirs: that saves an interval each.
    Those that do both, because they draw, are told to come back first.
    """
    agents = witness.running(facts.agents(topology))
    home = {node.path: ways(topology, node) for node in agents}
    began = server_time(witness)
    before = await_callins(witness, _wanted(home), began - limit_seconds(agents), limit_seconds(agents))
    seen = Absences(began, before, {node.path: [] for node in agents})
    several = shared(topology)
    settled = [node for node in agents if (call := before[node.path]) and goes(call, home[node.path])]
    back: dict[str, Absence] = {}
    for handler in facts.handlers(topology):
        users = [node for node in settled if handler.path in {way.handler for way in home[node.path]}]
        both = back.keys() & {node.path for node in users}
        _call_back(witness, topology, {path: back.pop(path) for path in both})
        if users:
            away = _planned(topology, handler, users)
            with stopped(witness, {handler.path: HTTPS}, HANDLER), ThreadPoolExecutor(1) as pool:
                waking = pool.submit(wake_by_any, witness, [node for node in users if node in several])
                _raise_events(witness, away)
                _watch(witness, topology, back, away)
                for path, told in waking.result().items():
                    away[path].woken = told
            for path, absence in away.items():
                seen.by_agent[path].append(absence)
            back = dict(away)
    _watch(witness, topology, back, {})
    _count_events(witness, topology, seen)
    return seen


def _call_back(witness: Witness, topology: Topology, back: Mapping[str, Absence]) -> None:
    """Have agents call in at once, and see where they come back."""
    if not back:
        return
    since, nodes = server_time(witness), [topology.node(path) for path in back]
    call_in(witness, topology, nodes, 1)
    right = {path: each.home for path, each in back.items()}
    calls = await_callins(witness, _wanted(right), since, limit_seconds(nodes))
    for path, absence in back.items():
        absence.back = calls[path]


def _wanted(right: Mapping[str, tuple[Way, ...]]) -> dict[str, Any]:
    return {path: lambda call, path=path: goes(call, right[path]) for path in right}


def _planned(topology: Topology, handler: Node, users: list[Node]) -> dict[str, Absence]:
    """What the users of a handler should do while it is stopped."""
    text = f"verdict-{uuid.uuid4().hex}"
    return {
        node.path: Absence(
            handler.path, ways(topology, node, without=[handler.path]), ways(topology, node), f"{text}-{node.name}"
        )
        for node in users
    }


def _raise_events(witness: Witness, absences: Mapping[str, Absence]) -> None:
    def one(path: str) -> None:
        event = {"order": "event", "event_id": 1120, "severity": 5, "text": absences[path].text}
        given = {"socket": SOCKET, "orders": [event], "patience_s": CALL_SECONDS}
        for reply in witness.python(path, PROGRAM, given):
            if not reply["ok"]:
                raise WorldError(f"{path}: takes no event: {reply['error']}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, absences))


def _watch(witness: Witness, topology: Topology, back: Mapping[str, Absence], away: Mapping[str, Absence]) -> None:
    """Wait for the call-ins of agents that come back and of agents that go away, and look at those that have no way."""
    right = {path: each.home for path, each in back.items()}
    right |= {path: each.right for path, each in away.items() if each.right}
    limit = limit_seconds([topology.node(path) for path in right])
    calls = await_callins(witness, _wanted(right), server_time(witness), limit) if right else {}
    for path, absence in back.items():
        absence.back = calls[path]
    for path, absence in away.items():
        absence.call = calls.get(path)
    stranded = {path: absence for path, absence in away.items() if not absence.right}
    _look_at_stranded(witness, stranded, limit_seconds([topology.node(path) for path in stranded]))


def _look_at_stranded(witness: Witness, stranded: Mapping[str, Absence], limit: float) -> None:
    """Agents without any way: once they have found out, they enforce on their own, and their events wait on disk.

    All have found out by one time, or have not.
    """
    end = seconds() + limit

    def look(path: str) -> None:
        left = max(0.0, end - seconds())
        absence = stranded[path]
        absence.noticed = becomes(witness, path, lambda seen: bool(seen["unreachable_handlers"]), left) is not None
        absence.enforced = witness.run(path, ENFORCE)
        absence.spooled = int(witness.must(path, SPOOL.format(text=absence.text)))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(look, stranded))


def _count_events(witness: Witness, topology: Topology, seen: Absences) -> None:
    wanted = {path: [each.text for each in absences] for path, absences in seen.by_agent.items()}
    found = await_events(witness, wanted, limit_seconds([topology.node(path) for path in wanted]))
    for path, absences in seen.by_agent.items():
        for absence in absences:
            absence.events = found[path][absence.text]
