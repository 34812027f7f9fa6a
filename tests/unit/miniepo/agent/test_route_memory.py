"""Playbooks of what an agent remembers of its ways: relays in their order, and what did not answer."""

from pathlib import Path

import pytest

from miniepo.agent.route_memory import after_discovery, after_failure, after_success, leaves_relay
from miniepo.agent.routes import Way, plan
from miniepo.agent.state import Routing
from miniepo.errors import MiniepoError, RefusedError, SilentError, TransferError, UnreachableError
from miniepo.protocol.discovery import Relay
from tests.unit.miniepo.standins import HANDLER, SECOND, state_directory

RELAYS = tuple(Relay(f"G{n}", f"relay-{n}", 8083, (f"10.4.0.{n}",)) for n in range(1, 8))
ONE, TWO, THREE = RELAYS[:3]
LIST = (HANDLER, SECOND)
GONE = UnreachableError("no route")
BUSY = RefusedError("busy", "200 connections are in use")
NOT_LISTED = RefusedError("not-listed", "no")
CANNOT_REACH = RefusedError("unreachable", "no answer within 2 s")


def names(routing: Routing) -> str:
    return " ".join(relay.computer_name for relay in routing.relays)


def failing(routing: Routing, relay: Relay, error: MiniepoError) -> Routing:
    return after_failure(routing, Way(HANDLER, relay), LIST, error)


def test_the_first_five_unique_relays_are_remembered_in_the_order_of_their_answers() -> None:
    routing = after_discovery(Routing(), (TWO, ONE, THREE))
    assert names(routing) == "relay-2 relay-1 relay-3"
    routing = after_discovery(routing, RELAYS)
    assert names(routing) == "relay-2 relay-1 relay-3 relay-4 relay-5"


def test_they_are_remembered_on_the_disk(tmp_path: Path) -> None:
    state_directory(tmp_path).routing = after_discovery(Routing(), RELAYS)
    assert names(state_directory(tmp_path).routing) == "relay-1 relay-2 relay-3 relay-4 relay-5"


@pytest.mark.parametrize("error", [GONE, SilentError(), BUSY, NOT_LISTED, CANNOT_REACH], ids=str)
def test_whatever_is_wrong_with_the_current_relay_the_next_cached_one_is_the_current_one(error: MiniepoError) -> None:
    routing = failing(Routing((ONE, TWO, THREE), (HANDLER.name, SECOND.name)), ONE, error)
    assert names(routing) == "relay-2 relay-3 relay-1"
    ways = plan(LIST, routing.unreachable, routing.relays)
    relayed = [way.relay for way in (*ways.remembered, *ways.others) if way.relay]
    assert relayed[0] == TWO and set(relayed) == {ONE, TWO, THREE}


@pytest.mark.parametrize(("error", "leaves"), [(GONE, True), (BUSY, True), (NOT_LISTED, False), (CANNOT_REACH, False)])
def test_a_relay_that_is_gone_or_full_is_not_asked_for_the_next_handler(error: MiniepoError, leaves: bool) -> None:
    assert leaves_relay(Way(HANDLER, ONE), error) is leaves
    assert not leaves_relay(Way(HANDLER), error)


def test_only_what_is_said_of_a_handler_counts_against_it() -> None:
    start = Routing((ONE, TWO), (HANDLER.name, SECOND.name))
    assert failing(start, ONE, NOT_LISTED).unreachable == start.unreachable
    assert failing(start, ONE, BUSY).unreachable == start.unreachable
    through = f"{HANDLER.name} through a relay"
    assert failing(start, ONE, CANNOT_REACH).unreachable == (*start.unreachable, through)
    assert failing(start, ONE, TransferError("TLS")).unreachable == (*start.unreachable, through)
    assert after_failure(Routing(), Way(HANDLER), LIST, GONE).unreachable == (HANDLER.name,)


def test_the_relay_that_led_to_a_handler_is_the_current_one_and_the_handler_answers_again() -> None:
    start = Routing((ONE, TWO), (HANDLER.name, SECOND.name, f"{HANDLER.name} through a relay"))
    routing = after_success(start, Way(HANDLER, TWO), LIST)
    assert names(routing) == "relay-2 relay-1" and routing.last_handler == HANDLER.name
    assert routing.unreachable == (HANDLER.name, SECOND.name)
    assert after_success(routing, Way(SECOND), LIST).unreachable == (HANDLER.name,)


def test_what_is_not_in_the_list_any_more_is_forgotten() -> None:
    start = Routing((), ("GONE", HANDLER.name))
    assert after_failure(start, Way(SECOND), LIST, GONE).unreachable == (HANDLER.name, SECOND.name)
