"""How the attempts at a handler are told."""

from __future__ import annotations

import pytest

from miniepo.agent.attempts import Tried, in_words, kind_of
from miniepo.protocol.connection_retry import Outcome
from miniepo.protocol.relay_session import Endpoint

ADDRESSES = (Endpoint("10.1.0.10", 443), Endpoint("fd00:1::10", 443))
NAME, BARE = (Endpoint("epo.hq.test", 443),), (Endpoint("EPO", 443),)


def tried(number: int, addresses: tuple[Endpoint, ...], outcome: Outcome = "refused") -> Tried:
    return Tried("ePO_EPO", number, addresses, outcome)


@pytest.mark.parametrize(
    ("host", "kind"), [("10.1.0.10", "IP"), ("fd00::1", "IP"), ("epo.hq.test", "FQDN"), ("EPO", "NetBIOS")]
)
def test_a_host_is_known_by_how_it_is_written(host: str, kind: str) -> None:
    assert kind_of(host) == kind


def test_rounds_that_went_alike_are_told_together() -> None:
    first = [tried(1, ADDRESSES), tried(1, NAME), tried(1, BARE, "unresolved")]
    later = [tried(number, each) for number in range(2, 7) for each in (ADDRESSES, NAME)]
    assert in_words([*first, *later]) == (
        "round 1: IP 10.1.0.10:443 or [fd00:1::10]:443 refused, FQDN epo.hq.test:443 refused, "
        "NetBIOS EPO:443 has no address; "
        "rounds 2 to 6: IP 10.1.0.10:443 or [fd00:1::10]:443 refused, FQDN epo.hq.test:443 refused"
    )
    assert in_words([tried(1, ADDRESSES[:1], "no-error")]) == "round 1: IP 10.1.0.10:443 connected"
    assert in_words([tried(1, ADDRESSES[:1], "untrusted")]) == "round 1: IP 10.1.0.10:443 not trusted"
    assert in_words([]) == ""


def test_the_status_file_has_a_row_for_each() -> None:
    assert tried(2, NAME, "silent").row == {
        "handler": "ePO_EPO",
        "round": 2,
        "kind": "FQDN",
        "places": ["epo.hq.test:443"],
        "outcome": "silent",
    }
