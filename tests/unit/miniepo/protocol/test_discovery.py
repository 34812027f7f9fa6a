"""Discovery of relays: questions, offers, and the cache of five."""

import pytest

from miniepo.errors import MessageError
from miniepo.protocol.discovery import (
    Discovery,
    Relay,
    RelayCache,
    addressed_from,
    answer_delay,
    decode_offer,
    decode_query,
    discovery_port,
    encode_offer,
    encode_query,
)
from miniepo.protocol.relay_session import Endpoint


def relay(number: int, address: str = "10.3.0.1") -> Relay:
    return Relay(f"G{number}", f"relay-{number}", 8083, (address,))


def guids(cache: RelayCache) -> str:
    return " ".join(each.guid for each in cache.relays)


@pytest.mark.parametrize(("version", "port"), [("4.8.0", 8083), ("5.0.0", 8082), ("5.6.1", 8082), ("", 8083)])
def test_agents_before_5_ask_on_the_old_port(version: str, port: int) -> None:
    assert discovery_port(version) == port


def test_questions_and_offers_come_back_as_they_went() -> None:
    assert decode_query(encode_query("n1")) == "n1"
    assert decode_offer(encode_offer(relay(1), "n1")) == (relay(1), "n1")
    assert decode_query(b'{"discover": "superagent", "nonce": "n"}') is None


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[]", b'{"discover": 1}'])
def test_other_datagrams_are_no_questions(data: bytes) -> None:
    with pytest.raises(MessageError):
        decode_query(data)


@pytest.mark.parametrize(
    "offered",
    [
        *(Relay("G1", "relay-1", port, ("10.3.0.1",)) for port in (-1, 0, 65536, 99999, 2**40)),
        *(Relay("G1", "relay-1", 8083, given) for given in ((), ("",), ("relay-1",), ("10.3.0.1", "fe80::1%eth0"))),
        Relay("G1", "relay-1", 8083, tuple(f"10.3.0.{number}" for number in range(17))),
    ],
    ids=str,
)
def test_offers_of_what_cannot_be_connected_to_are_none(offered: Relay) -> None:
    with pytest.raises(MessageError, match="not an offer"):
        decode_offer(encode_offer(offered, "n1"))
    assert not Discovery("n1").receive(encode_offer(offered, "n1"), "10.3.0.1")


def test_a_relay_may_have_sixteen_addresses_also_once_it_has_answered() -> None:
    offered = Relay("G1", "relay-1", 65535, tuple(f"10.3.0.{number}" for number in range(16)))
    found = Discovery("n1")
    assert found.receive(encode_offer(offered, "n1"), "10.3.0.99")
    assert found.found[0].addresses == ("10.3.0.99", *offered.addresses[:15])
    assert not found.found[0].fault


def test_the_first_responder_comes_first_and_each_counts_once() -> None:
    found = Discovery("n1")
    assert found.receive(encode_offer(relay(2), "n1"), "10.3.0.2")
    assert found.receive(encode_offer(relay(1), "n1"), "10.3.0.1")
    assert not found.receive(encode_offer(relay(2), "n1"), "fe80::2")
    assert not found.receive(encode_offer(relay(3), "of another"), "10.3.0.3")
    assert not found.receive(b"noise", "10.3.0.4")
    assert [each.guid for each in found.found] == ["G2", "G1"]


def test_whoever_offers_thousands_of_relays_is_one_of_them_and_an_honest_one_is_found_too() -> None:
    found = Discovery("n1")
    taken = [found.receive(encode_offer(relay(number), "n1"), "10.3.0.66") for number in range(3000)]
    assert taken == [True, *[False] * 2999]
    assert found.receive(encode_offer(relay(4000), "n1"), "10.3.0.1")
    assert [each.guid for each in found.found] == ["G0", "G4000"]


def test_a_relay_that_answers_over_both_families_counts_once_and_leaves_its_addresses_to_no_other() -> None:
    found = Discovery("n1")
    both = Relay("G1", "relay-1", 8083, ("10.3.0.1", "fd00:3::1"))
    answers = [found.receive(encode_offer(both, "n1"), source) for source in ("10.3.0.1", "fd00:3::1", "10.3.0.1")]
    assert answers == [True, False, False]
    assert not found.receive(encode_offer(relay(2), "n1"), "fd00:3::1")
    assert found.found == (both,)


def test_a_round_ends_with_the_first_five_relays() -> None:
    found = Discovery("n1")
    taken = [found.receive(encode_offer(relay(number), "n1"), f"10.3.0.{number}") for number in range(1, 9)]
    assert taken == [True] * 5 + [False] * 3
    assert [each.guid for each in found.found] == ["G1", "G2", "G3", "G4", "G5"]


def test_the_address_that_the_offer_came_from_is_tried_first() -> None:
    offered = Relay("G1", "relay-1", 8083, ("10.9.0.1", "10.3.0.1"))
    assert addressed_from(offered, "10.3.0.1").endpoints == (Endpoint("10.3.0.1", 8083), Endpoint("10.9.0.1", 8083))
    assert addressed_from(offered, "fe80::1") == offered


def test_the_cache_keeps_the_first_five() -> None:
    cache = RelayCache().add(tuple(relay(number) for number in range(1, 8)))
    assert guids(cache) == "G1 G2 G3 G4 G5"
    assert guids(cache.add((relay(9),))) == "G1 G2 G3 G4 G5"
    assert guids(cache.without("G2").add((relay(9),))) == "G1 G3 G4 G5 G9"


def test_a_known_relay_gets_its_new_address_in_place() -> None:
    cache = RelayCache((relay(1), relay(2))).add((relay(2, "10.3.0.99"), relay(3)))
    assert guids(cache) == "G1 G2 G3"
    assert cache.relays[1].addresses == ("10.3.0.99",)


def test_a_relay_that_failed_goes_to_the_end() -> None:
    assert guids(RelayCache((relay(1), relay(2), relay(3))).failed("G1")) == "G2 G3 G1"


def test_questions_are_spread_evenly_over_relays_by_their_delays() -> None:
    guids = ("G1", "G2", "G3")
    first = [min(guids, key=lambda guid: answer_delay(guid, f"question {n}", 0.0) or 0) for n in range(3000)]
    assert all(900 < first.count(guid) < 1100 for guid in guids)
    delays = [answer_delay("G1", f"question {n}", 0.0) or 0 for n in range(3000)]
    assert 0 <= min(delays) < 0.001 and 0.099 < max(delays) < 0.1


def test_the_broadcast_and_the_multicast_of_a_question_are_answered_alike() -> None:
    assert answer_delay("G1", "n", 0.0) == answer_delay("G1", "n", 0.0) != answer_delay("G1", "m", 0.0)


def test_a_loaded_relay_answers_later_and_a_full_one_not_at_all() -> None:
    idle, loaded = answer_delay("G1", "n", 0.0), answer_delay("G1", "n", 0.5)
    assert idle is not None and loaded is not None and loaded - idle == pytest.approx(0.05)
    assert answer_delay("G1", "n", 1.0) is None
    assert answer_delay("G1", "n", 0.9, within_seconds=0) == 0
