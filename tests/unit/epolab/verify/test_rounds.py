"""What is wrong with how an agent went on trying handlers that refused it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from epolab.topology import load_topology
from epolab.verify.rounds import round_troubles

LAB = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")
NODE = LAB.node("hq/hq-pc-1")
EPO, REMOTE = LAB.node("hq/epo"), LAB.node("dmz/handler")
NEAR = {
    "IP": [f"{EPO.ipv4}:443", f"[{EPO.ipv6}]:443"],
    "FQDN": ["epo.hq.test:443"],
    "NetBIOS": ["EPO:443"],
}
FAR = {
    "IP": [f"{REMOTE.ipv4}:443", f"[{REMOTE.ipv6}]:443"],
    "FQDN": ["handler.dmz.test:443"],
    "NetBIOS": ["HANDLER:443"],
}
Rows = list[dict[str, Any]]


def row(handler: str, number: int, kind: str, places: list[str], outcome: str = "refused") -> dict[str, Any]:
    return {"handler": handler, "round": number, "kind": kind, "places": places, "outcome": outcome}


def near(rounds: int = 6) -> Rows:
    return [row("ePO_EPO", number, kind, NEAR[kind]) for number in range(1, rounds + 1) for kind in NEAR]


def far(rounds: int = 6) -> Rows:
    first = [row("ePO_HANDLER", 1, kind, FAR[kind]) for kind in ("IP", "FQDN")]
    unknown = row("ePO_HANDLER", 1, "NetBIOS", FAR["NetBIOS"], "unresolved")
    later = [row("ePO_HANDLER", number, k, FAR[k]) for number in range(2, rounds + 1) for k in ("IP", "FQDN")]
    return [*first, unknown, *later]


def told(rows: Rows) -> str:
    return "; ".join(f"{wanted}: {seen}" for wanted, seen in round_troubles(LAB, NODE, rows))


def test_six_rounds_of_three_are_right_and_so_is_a_name_without_an_address() -> None:
    assert len(near()) == 18
    assert told([*near(), *far()]) == ""


def test_the_next_call_in_may_be_near_after_the_first_round_of_a_later_handler() -> None:
    assert told([*near(), *far(1)]) == ""
    assert told([*near(1), *far()]) == ""
    assert "tries a handler that refuses it in 6 rounds" in told([*near(5), *far(5)])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (far(), "tries hq/epo by IP, FQDN, NetBIOS, in this order in each round: hq/hq-pc-1: it tried nothing"),
        ([*near()[1:], *far()], "tries hq/epo by IP, FQDN, NetBIOS"),
        ([*near()[:2], *far()], "tries hq/epo by IP, FQDN, NetBIOS"),
        ([near()[1], near()[0], *near()[2:], *far()], "tries hq/epo by IP, FQDN, NetBIOS"),
        ([*near(), near()[0] | {"round": 7}, *far()], "tries hq/epo by IP, FQDN, NetBIOS"),
        ([near()[0] | {"places": ["10.9.9.9:443"]}, *near()[1:], *far()], "tries hq/epo by IP at"),
        ([*near(), *far()[:1], far()[1] | {"outcome": "unresolved"}, far()[2], *far()[3::2]], "dmz/handler by FQDN at"),
    ],
    ids=["nothing", "no IP", "half a round", "another order", "seven rounds", "another address", "no name"],
)
def test_what_is_tried_otherwise_is_told(rows: Rows, words: str) -> None:
    assert words in told(rows)
