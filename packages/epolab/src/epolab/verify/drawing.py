"""Agents called in again and again: those that draw spread over their handlers, a new rule counts at the next call."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any

from epolab.hands.journal import Undo
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.ports import HTTPS
from epolab.model.topology import Topology
from epolab.verify.callins import server_time
from epolab.verify.web_api import shell_text
from epolab.verify.witness import Witness

PROGRAM = resources.files("epolab.verify").joinpath("order_program.py").read_text()
SOCKET = "/var/lib/miniepo/agent/control.sock"
CALL_SECONDS = 30.0
DRAWS = 14
"""All of so many draws of two handlers give one of them in one of 8,192 runs."""
RULE = "Rule of the verdict"
SESSION_SECONDS = 2.0
"""A call-in that began so long ago may still be under way."""


@dataclass(frozen=True, slots=True)
class Moved:
    """The call-ins of an agent around the moment at which a rule was made for it; handlers are node paths.

    `just_before` may have brought the rule's list, if its session was not over; `after` begins with the first call-in
    after the rule was made.
    """

    target: str
    just_before: bool
    after: tuple[str, ...]


def equals(topology: Topology, node: Node) -> tuple[Node, ...]:
    """The handlers among which an agent draws, if it does: those of its first tier that it reaches directly."""
    for tier in facts.handler_tiers(topology, node):
        reached = tuple(h for h in tier if facts.reachable(topology, node, h, "tcp", HTTPS))
        if reached:
            return reached if len(reached) > 1 else ()
    return ()


def drawing(topology: Topology) -> list[Node]:
    """The agents that draw."""
    return [node for node in facts.agents(topology) if equals(topology, node)]


def movable(topology: Topology) -> list[Node]:
    """The agents that a rule can send elsewhere: they reach two handlers; where handler groups are declared only,
    because it disturbs."""
    if not topology.management.handler_groups:
        return []
    return [node for node in facts.agents(topology) if len(facts.direct_handlers(topology, node)) > 1]


def target_of(topology: Topology, node: Node) -> Node:
    """Where a rule sends a movable agent: to the last of its handlers."""
    return facts.direct_handlers(topology, node)[-1]


def call_in(witness: Witness, topology: Topology, nodes: Sequence[Node], times: int) -> dict[str, list[str]]:
    """Let agents call in so many times; the handlers (node paths) that each used, by the agent's path.

    An agent that cannot call in is told as such in their place.
    """
    by_name = {site_name(handler): handler.path for handler in facts.handlers(topology)}
    given = {"socket": SOCKET, "orders": [{"order": "callin"}] * times, "patience_s": CALL_SECONDS}

    def used(reply: Mapping[str, Any]) -> str:
        name = str(reply["result"].get("handler", "")) if reply["ok"] else f"none: {reply['error']}"
        return by_name.get(name, name)

    def one(node: Node) -> list[str]:
        return [used(reply) for reply in witness.python(node.path, PROGRAM, given, line="draw")]

    with ThreadPoolExecutor(8) as pool:
        return dict(zip((node.path for node in nodes), pool.map(one, nodes), strict=True))


def site_name(handler: Node) -> str:
    """A handler's name in site lists."""
    return f"ePO_{handler.name.upper()}"


def move(witness: Witness, topology: Topology, nodes: Sequence[Node]) -> dict[str, Moved]:
    """Give agents a rule of their own by their subnets, let each call in twice, and take the rule back."""
    began = server_time(witness)
    with ruled(witness, [rule_for(topology, node) for node in nodes]):
        made = server_time(witness)
        call_in(witness, topology, nodes, 2)
        rows = witness.api("miniepo.listCallins", since=str(began - SESSION_SECONDS))
    call_in(witness, topology, nodes, 1)
    return {node.path: moved(target_of(topology, node).path, of_agent(rows, node.fqdn), made) for node in nodes}


def of_agent(rows: Iterable[Mapping[str, Any]], fqdn: str) -> list[tuple[float, str]]:
    """When an agent called in, to which handler; the first call-in first."""
    return sorted((row["received"], row["handler"]) for row in rows if row["fqdn"] == fqdn)


def moved(target: str, calls: Sequence[tuple[float, str]], made: float) -> Moved:
    """An agent's call-ins around the moment `made`."""
    after = tuple(handler for received, handler in calls if received >= made)
    return Moved(target, len(after) < len(calls), after)


def rule_for(topology: Topology, node: Node) -> dict[str, Any]:
    """A rule for one agent alone, by its address."""
    return {"name": f"{RULE} for {node.path}", "subnets": [f"{node.ipv4}/32"], "use": [target_of(topology, node).path]}


@contextmanager
def ruled(witness: Witness, rules: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """These rules stand before all others for the block."""
    others = [given(row) for row in witness.api("miniepo.listHandlerRules") if not row["name"].startswith(RULE)]
    undo = f"{shell_text('miniepo.setHandlerRules', {'rules': json.dumps(others)})} | grep -q '^OK:'"
    server, sql = witness.server.path, facts.sql(witness.topology).path
    with witness.journal.undone_by(Undo(server, undo, "handler rules", keepers=(sql,))):
        witness.api("miniepo.setHandlerRules", rules=json.dumps([*rules, *others]))
        yield


def given(row: Mapping[str, Any]) -> dict[str, Any]:
    """A listed rule as it is set."""
    return {name: row[name] for name in ("name", "group", "subnets", "use")}


def wrong_draws(agent: str, among: Sequence[Node], used: Sequence[str]) -> list[tuple[str, str]]:
    """What is wrong about the handlers that a drawing agent used, as (expected, observed)."""
    paths = [handler.path for handler in among]
    wanted = f"{agent}: draws among {' and '.join(paths)} at each call-in"
    seen = f"{agent}: in {len(used)} call-ins it used " + ", ".join(
        f"{p} {used.count(p)} times" for p in sorted({*used})
    )
    return [(wanted, seen)] if len({*used}) < 2 or not {*used} <= {*paths} else []


def wrong_move(agent: str, home: Sequence[str], seen: Moved) -> list[tuple[str, str]]:
    """What is wrong about the call-ins after a rule was made, as (expected, observed).

    The first one brings the list, so it still goes by the one before; the next goes by it (domain §4).
    """
    broken = []
    first_may_be_moved = seen.just_before or seen.target in home
    if seen.after and seen.after[0] not in home and not first_may_be_moved:
        wanted = f"{agent}: the call-in that brings a new rule's list still goes to {' or '.join(home)}"
        broken.append((wanted, f"{agent}: it went to {seen.after[0]}"))
    if len(seen.after) < 2 or {*seen.after[1:]} != {seen.target}:
        wanted = f"{agent}: after the call-in that brought a new rule's list it goes to {seen.target}"
        broken.append((wanted, f"{agent}: it went to {', '.join(seen.after) or 'no handler'}"))
    return broken
