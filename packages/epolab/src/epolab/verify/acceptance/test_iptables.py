"""Promise `iptables`: the firewall exceptions of every agent stand before the final drop and work, in both families."""

import json
from collections.abc import Iterator
from typing import Literal

import pytest

from epolab.hands.journal import Undo
from epolab.model import facts
from epolab.model.firewall import FirewallException
from epolab.model.node import Node
from epolab.model.topology import Topology
from epolab.verify.broken import expect, expect_all
from epolab.verify.firewall_plan import (
    STRANGER_V4,
    STRANGER_V6,
    Visit,
    strangers_visits,
    welcome_visits,
)
from epolab.verify.firewall_rules import final_drop, missing
from epolab.verify.knocks import Answer
from epolab.verify.nat_rules import addresses_of, caller_of, lines_of, open_to_outside, unmasked
from epolab.verify.witness import Witness

WELCOME_ATTEMPTS = 3
PINGS = "for there in {}; do (ping -n -q -c 2 -i 0.3 -W 1 $there >/dev/null 2>&1 && echo $there) & done; wait; true"
TOOLS: dict[Literal[4, 6], str] = {4: "iptables", 6: "ip6tables"}


def exceptions_of(topology: Topology, node: Node) -> tuple[FirewallException, ...]:
    return facts.exceptions(topology, node)


@pytest.fixture(scope="session", name="welcome")
def welcome_fixture(witness: Witness, topology: Topology) -> dict[str, list[tuple[Visit, Answer]]]:
    """Every visit that an exception invites, made at once; by the node visited.

    A visit that gets no answer is made again: a firewall drops every time, a line with loss does not.
    """
    return by_host(witness, welcome_visits(topology, witness.absent), attempts=WELCOME_ATTEMPTS)


@pytest.fixture(scope="module", name="strangers")
def strangers_fixture(witness: Witness, topology: Topology) -> Iterator[dict[str, list[tuple[Visit, Answer]]]]:
    """Visits from addresses that no exception names: each site's router takes such a one for the moment."""
    routers = witness.running(facts.router(topology, site.name) for site in topology.sites)
    away = f"ip addr del {STRANGER_V4}/32 dev lo 2>/dev/null; ip -6 addr del {STRANGER_V6}/128 dev lo 2>/dev/null; true"
    undos = [Undo(router.path, away, "a stranger's address") for router in routers]
    with witness.journal.undone_by(*undos):
        for router in routers:
            take = f"ip addr replace {STRANGER_V4}/32 dev lo && ip -6 addr replace {STRANGER_V6}/128 dev lo nodad"
            witness.must(router.path, take)
        yield by_host(witness, strangers_visits(topology, witness.absent))


def by_host(witness: Witness, visits: list[Visit], attempts: int = 1) -> dict[str, list[tuple[Visit, Answer]]]:
    """Make all visits, from all guests at the same time, silent ones again as often as `attempts` says."""
    visits = [visit for visit in visits if witness.runs(visit.host)]
    answers: dict[Visit, Answer] = {}
    for _ in range(attempts):
        silent = [visit for visit in visits if visit not in answers or answers[visit].outcome == "silent"]
        answers |= made_at_once(witness, silent)
    seen: dict[str, list[tuple[Visit, Answer]]] = {}
    for visit, answer in answers.items():
        seen.setdefault(visit.host, []).append((visit, answer))
    return seen


def made_at_once(witness: Witness, visits: list[Visit]) -> dict[Visit, Answer]:
    """What each visit met; one by a guest who does not run cannot be made, which is no answer either way."""
    guests: dict[str, list[Visit]] = {}
    lost: dict[Visit, Answer] = {}
    for visit in visits:
        if witness.runs(visit.guest):
            guests.setdefault(visit.guest, []).append(visit)
        else:
            lost[visit] = Answer("error", "", f"{visit.guest} does not run: {witness.absent[visit.guest]}", 0.0)
    answers = witness.everywhere({guest: [visit.knock for visit in made] for guest, made in guests.items()})
    return lost | {v: answer for guest in guests for v, answer in zip(guests[guest], answers[guest], strict=True)}


@pytest.mark.parametrize("family", [4, 6])
def test_exceptions_stand_before_the_final_drop(
    witness: Witness, topology: Topology, walled: str, family: Literal[4, 6]
) -> None:
    """the exceptions stand before the final drop"""
    listing = witness.must(walled, f"{TOOLS[family]} -w -S INPUT")
    expect(
        final_drop(listing) is not None,
        f"{walled}: the INPUT chain of {TOOLS[family]} ends in a drop",
        f"nothing in it drops: {json.dumps(listing.splitlines()[:20])}",
    )
    wrong = missing(listing, exceptions_of(topology, topology.node(walled)), family)
    expect_all(
        [
            (
                f"{walled}: {TOOLS[family]} lets in {exception.port}/{exception.protocol} from {source}"
                f" ({exception.reason})",
                f"{TOOLS[family]} on {walled}: {seen}",
            )
            for exception, source, seen in wrong
        ]
    )


def test_an_allowed_source_gets_an_answer(walled: str, welcome: dict[str, list[tuple[Visit, Answer]]]) -> None:
    """from an allowed source the port answers"""
    expect_all(
        [
            (f"{walled}: {visit.text} is answered", f"{answer.text} from {visit.knock.address}")
            for visit, answer in welcome.get(walled, [])
            if not answer.answered
        ]
    )


@pytest.mark.disturbs
def test_a_forbidden_source_gets_none(guarded: str, strangers: dict[str, list[tuple[Visit, Answer]]]) -> None:
    """from a forbidden source the port does not answer"""
    visits = strangers.get(guarded, [])
    expect(bool(visits), f"{guarded}: a stranger was sent", "no visit was made")
    expect_all(
        [
            (f"{guarded}: {visit.text} gets no answer", f"{answer.text} at {visit.knock.address}")
            for visit, answer in visits
            if answer.outcome != "silent"
        ]
    )


@pytest.mark.parametrize("family", [4, 6])
def test_a_site_behind_nat_is_hidden(witness: Witness, topology: Topology, hiding: str, family: Literal[4, 6]) -> None:
    """the router masks what leaves the site, and drops what comes in and is no answer"""
    tool = TOOLS[family]
    masks = witness.must(hiding, f"{tool} -w -t nat -S POSTROUTING")
    forwards = witness.must(hiding, f"{tool} -w -S FORWARD")
    broken = []
    for line in lines_of(topology, topology.node(hiding), family):
        if seen := unmasked(masks, line):
            broken.append((f"{hiding}: {tool} masks what leaves {line.network} by {line.interface}", seen))
        if seen := open_to_outside(forwards, line):
            broken.append((f"{hiding}: {tool} drops what comes to {line.network} by {line.interface}", seen))
    expect_all(broken)


def test_nobody_outside_gets_into_a_site_behind_nat(witness: Witness, topology: Topology, hiding: str) -> None:
    """no address of the site answers anybody outside"""
    router = topology.node(hiding)
    caller = caller_of(topology, router)
    pings = " ".join(addresses_of(topology, router))
    answered = witness.must(caller.path, PINGS.format(pings)).split()
    expect(not answered, f"{hiding}: nobody behind it answers {caller.path}", f"{', '.join(answered)} did")
