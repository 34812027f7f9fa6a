"""Trying agents behind relays: with discovery barred and the agent restarted, its relay stopped, or turned off."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from epolab.errors import TimeoutExceededError
from epolab.hands.journal import Undo
from epolab.hands.until import until
from epolab.model import facts
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.agents import becomes, status
from epolab.verify.callins import CallIn, await_callins, server_time
from epolab.verify.policy_change import assigned, names_of
from epolab.verify.services import RELAY, answers, stopped
from epolab.verify.ways import Way, goes, limit_seconds, ways
from epolab.verify.witness import Witness

CTL = "runuser -u mfeagent -- miniepo ctl {0}"
RESTART = "sv -w 60 restart /etc/service/cmdagent"
LOG = "/var/log/miniepo/cmamesh.log"
DISCOVERIES = f"sed -n 's/.* discovered by //p' {LOG}"
NOTE = "epolab verify: no discovery"
RULE = f'OUTPUT -p udp -m multiport --dports 8082,8083 -m comment --comment "{NOTE}" -j DROP'
TOOLS = ("iptables", "ip6tables")
BAR = " && ".join(f"{tool} -w -I {RULE}" for tool in TOOLS)
UNBAR = "; ".join(f"while {tool} -w -D {RULE} 2>/dev/null; do :; done" for tool in TOOLS)
POLICY = "Verdict: relay turned off"
SWITCHED_WITHIN_SECONDS = 45.0
HANDED_OVER = "@miniepo-cmamesh"


@dataclass(frozen=True, slots=True)
class Move:
    """What an agent did without its relay: `unfound` relays it found where discovery was barred, `again` is its first
    call after a restart then, `call` the one while `stopped` did not serve; `stayed` says whether that one stayed so
    although its agent enforced its policies meanwhile."""

    stopped: str
    right: tuple[Way, ...]
    unfound: tuple[str, ...]
    again: CallIn | None
    call: CallIn | None
    stayed: bool


@contextmanager
def undiscoverable(witness: Witness, paths: Collection[str]) -> Iterator[None]:
    """The questions of these agents for relays do not get out."""
    with witness.journal.undone_by(*(Undo(path, UNBAR, "discovery of relays barred") for path in paths)):
        together(witness, paths, BAR)
        yield


def together(witness: Witness, paths: Collection[str], command: str) -> dict[str, str]:
    """What a command prints on these nodes, run at the same time."""
    with ThreadPoolExecutor(8) as pool:
        return dict(zip(paths, pool.map(lambda path: witness.must(path, command), paths), strict=True))


def found_by(witness: Witness, paths: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The relays (computer names) that answer these agents now, the first responder first."""
    said = together(witness, paths, CTL.format("discover"))
    return {path: tuple(json.loads(text)["relays"]) for path, text in said.items()}


def heard(witness: Witness, paths: Collection[str]) -> dict[str, list[str]]:
    """Whose questions these relays have heard so far: source addresses, by relay."""
    return {path: text.split() for path, text in together(witness, paths, DISCOVERIES).items()}


def sources(witness: Witness, paths: Collection[str]) -> dict[str, frozenset[str]]:
    """The addresses from which these agents may ask: a question to the IPv6 group comes from an address of the link."""
    told = together(witness, paths, "ip -json address")
    return {path: frozenset(_addresses(json.loads(text))) for path, text in told.items()}


def _addresses(interfaces: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for interface in interfaces:
        yield from (each["local"] for each in interface["addr_info"] if interface["ifname"] != "lo")


def questions(
    before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]], own: Collection[str]
) -> dict[int, int]:
    """How often an agent's addresses asked between two readings, by IP family: as the relay that heard most has it."""
    families = {4: [each for each in own if ":" not in each], 6: [each for each in own if ":" in each]}
    return {
        family: max((_rise(before[path], after[path], addresses) for path in after), default=0)
        for family, addresses in families.items()
    }


def _rise(before: Sequence[str], after: Sequence[str], own: Collection[str]) -> int:
    return sum(after.count(address) - before.count(address) for address in own)


@dataclass(frozen=True, slots=True)
class Unhelped:
    """What an agent did where its questions for relays are barred: the relays it found, its call after a restart."""

    unfound: tuple[str, ...]
    again: CallIn | None


def unhelped(witness: Witness, topology: Topology, users: Sequence[str]) -> dict[str, Unhelped]:
    """Let these agents (paths), whose questions are barred, look for relays, and start them anew.

    Who finds some looks again: the first answers may be to a question of before, at a call-in that was under way.
    """
    unfound = found_by(witness, users)
    unfound |= found_by(witness, [path for path, relays in unfound.items() if relays])
    again = _restarted(witness, topology, [topology.node(path) for path in users])
    return {path: Unhelped(unfound[path], again[path]) for path in users}


def without(
    witness: Witness, topology: Topology, group: tuple[str, ...], users: Mapping[str, Unhelped]
) -> dict[str, Move]:
    """What these agents do, whose questions are barred, while these relays (paths) are stopped."""
    nodes = [topology.node(path) for path in users]
    ports = {path: facts.relay_port(topology, topology.node(path)) for path in group}
    right = {node.path: ways(topology, node, without=group) for node in nodes}
    with stopped(witness, ports, RELAY):
        since = server_time(witness)
        together(witness, group, CTL.format("enforce"))
        wanted = {path: lambda call, path=path: goes(call, right[path]) for path in users}
        calls = await_callins(witness, wanted, since, limit_seconds(nodes))
        stayed = not any(serves(witness, topology, path) for path in group)
    for path in group:
        _await_service(witness, topology, path, wanted=True)
    stop = ", ".join(group)
    return {
        path: Move(stop, right[path], seen.unfound, seen.again, calls[path], stayed) for path, seen in users.items()
    }


def _restarted(witness: Witness, topology: Topology, nodes: Sequence[Node]) -> dict[str, CallIn | None]:
    """The first call of each agent after its process was started anew, once it came by a right way."""
    right = {node.path: ways(topology, node) for node in nodes}
    since = server_time(witness)
    together(witness, list(right), RESTART)
    wanted = {path: lambda call, path=path: goes(call, right[path]) for path in right}
    return await_callins(witness, wanted, since, limit_seconds(nodes))


def switchable(topology: Topology) -> tuple[str, ...]:
    """The relay (path) that is turned off and on by policy: the last that leaves each of its agents another one."""
    for relay in reversed(facts.relays(topology)):
        needy = [node for node in facts.relay_clients(topology, relay) if facts.needs_relay(topology, node)]
        if all(len(facts.relays_for(topology, node)) > 1 for node in needy):
            return (relay.path,)
    return ()


@dataclass(frozen=True, slots=True)
class Switched:
    """Whether the relay of a node was gone when its policy said so, and there when it said so again."""

    off: bool
    on: bool


def switch(witness: Witness, topology: Topology, path: str) -> Switched:
    """Turn a relay off by a policy of its own, and on again by taking that policy back."""
    node = topology.node(path)
    limit = max(SWITCHED_WITHIN_SECONDS, limit_seconds([node]))

    def is_relay(wanted: bool) -> bool:
        seen = becomes(witness, path, lambda seen: seen["roles"]["relay"] is wanted, limit)
        return seen is not None and _await_service(witness, topology, path, wanted)

    with assigned(witness, POLICY, {path: {"enabled": False}}, wake=True, category="relay"):
        witness.api("system.wakeupAgent", names=names_of([node]))
        off = is_relay(False)
    return Switched(off, is_relay(True))


def serves(witness: Witness, topology: Topology, path: str) -> bool:
    """Whether the relay process of a node takes connections: on its port, or what the agent hands over to it."""
    node = topology.node(path)
    if facts.shares_port(topology, node):
        return witness.run(path, f"grep -q '{HANDED_OVER}$' /proc/net/unix").code == 0
    return answers(witness, path, facts.relay_port(topology, node))


def _await_service(witness: Witness, topology: Topology, path: str, wanted: bool) -> bool:
    try:
        until(
            lambda: serves(witness, topology, path) is wanted,
            what=f"{RELAY} of {path} {'serves' if wanted else 'does not serve'}",
            limit_seconds=SWITCHED_WITHIN_SECONDS,
        )
    except TimeoutExceededError:
        return False
    return True


def cached(witness: Witness, path: str) -> list[str]:
    """The relays that an agent remembers, by computer name."""
    names: list[str] = status(witness, path)["relays"]
    return names
