"""What the verdict says to handlers that let in whom they should not, or that do not refuse in words."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from epolab.topology import load_topology
from epolab.verify.doors import crowd_served, foreign_certificate, guest_of, own_of, strangers_served

TOPOLOGY = load_topology(Path(__file__).parents[4] / "topologies" / "quickstart.yaml")


def seen(status: int, text: str = "", retry_after: str = "") -> dict[str, Any]:
    return {"status": status, "text": text, "retry_after": retry_after}


NOBODY = seen(0, "SSLError: certificate required")
GOOD = {
    "own": seen(200),
    "nothing": NOBODY,
    "foreign": NOBODY,
    "plain": seen(403),
    "content": seen(404),
    "held": 245,
    "crowd": seen(503, "all connections of this handler are in use", "5"),
    "later": seen(200),
}


def test_a_handler_that_keeps_its_doors_is_in_order() -> None:
    assert strangers_served("hq/epo", GOOD) == []
    assert crowd_served("hq/epo", GOOD) == []


@pytest.mark.parametrize(
    ("door", "answer", "words"),
    [
        ("own", NOBODY, "serves who shows a certificate of this lab"),
        ("nothing", seen(200), "refuses who shows no certificate"),
        ("foreign", seen(404), "refuses a certificate of another lab"),
        ("plain", seen(200), "takes no envelope without TLS"),
        ("content", seen(403), "serves content without TLS"),
    ],
)
def test_each_open_door_is_told(door: str, answer: dict[str, Any], words: str) -> None:
    [(expected, observed)] = strangers_served("hq/epo", {**GOOD, door: answer})
    assert expected.startswith("hq/epo: ") and words in expected
    assert observed.startswith("hq/epo: ")


@pytest.mark.parametrize(
    "answer",
    [seen(200), seen(503, "Service Unavailable", "5"), seen(503, "all are in use"), seen(0, "ConnectionResetError")],
)
def test_a_limit_that_is_not_kept_or_not_explained_is_told(answer: dict[str, Any]) -> None:
    [(expected, _)] = crowd_served("hq/epo", {**GOOD, "crowd": answer})
    assert "refuses one connection above 245 with 503" in expected


def test_a_limit_that_is_too_low_is_told_and_a_few_agents_are_not_taken_for_one() -> None:
    assert crowd_served("hq/epo", {**GOOD, "held": 240}) == []
    [(expected, observed)] = crowd_served("hq/epo", {**GOOD, "held": 239})
    assert expected == "hq/epo: serves 245 connections at once, or up to 5 less while agents call in"
    assert observed == "hq/epo: it served 239 and refused the next"


def test_a_handler_that_stays_full_is_told() -> None:
    [(expected, _)] = crowd_served("hq/epo", {**GOOD, "later": seen(503)})
    assert expected == "hq/epo: serves again when they have gone"


def test_the_first_agent_that_reaches_a_handler_looks_at_it() -> None:
    guest = guest_of(TOPOLOGY, TOPOLOGY.node("dmz/handler"))
    assert guest.has("agent")
    assert own_of(guest)[0].endswith("agent.pem")
    assert own_of(TOPOLOGY.node("dmz/handler"))[0].endswith("node.pem")


def test_a_foreign_certificate_can_be_shown_and_is_new_each_time(tmp_path: Path) -> None:
    pem = foreign_certificate("pc.hq.test")
    (tmp_path / "foreign.pem").write_text(pem)
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(tmp_path / "foreign.pem")
    assert foreign_certificate("pc.hq.test") != pem
