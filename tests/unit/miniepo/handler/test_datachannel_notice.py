"""Whether an agent is told that something waits, by which names, or why not; and when again."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Any

import pytest

from miniepo.handler.datachannel_notice import (
    CONNECT_SECONDS,
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    NOTICE_SECONDS,
    GiveUp,
    LeaveWaiting,
    Tell,
    Unreached,
    connect_seconds,
    decide,
    pause_seconds,
)
from miniepo.store.datachannel import LEASE_SECONDS
from miniepo.store.systems import System

_EMPTY: dict[str, Any] = {field.name: "" for field in dataclasses.fields(System)}
AGENT = System(
    **_EMPTY
    | {
        "guid": "G",
        "version": "4.8.0",
        "via_relay": None,
        "fqdn": "pc-1.test",
        "computer_name": "PC-1",
        "address": "10.0.0.7",
        "properties": {"WakeupPort": "8591"},
    }
)


def changed(**values: Any) -> System:
    return dataclasses.replace(AGENT, **values)


def test_an_agent_is_told_by_its_names_in_order_at_its_port() -> None:
    assert decide(AGENT) == Tell(("pc-1.test", "PC-1", "10.0.0.7"), 8591)


def test_an_agent_behind_a_relay_is_left_to_its_call_in() -> None:
    assert decide(changed(via_relay="relay-1")) == LeaveWaiting(
        "behind relay relay-1: it looks after its own next call-in"
    )


def test_an_agent_without_an_address_is_left_to_its_call_in() -> None:
    assert isinstance(decide(changed(fqdn="", computer_name="", address="")), LeaveWaiting)


@pytest.mark.parametrize("system", [None, changed(guid=None)])
def test_a_system_without_an_agent_is_given_up(system: System | None) -> None:
    assert decide(system) == GiveUp("the system has no agent")


@pytest.mark.parametrize("version", ["4.0.0", "", None])
def test_an_agent_before_4_5_is_given_up(version: str | None) -> None:
    assert isinstance(decide(changed(version=version)), GiveUp)


def test_an_agent_of_4_5_has_the_channel() -> None:
    assert isinstance(decide(changed(version="4.5.0")), Tell)


def test_pauses_double_up_to_a_limit() -> None:
    assert [pause_seconds(attempt) for attempt in (1, 2, 3)] == [FIRST_PAUSE_SECONDS * factor for factor in (1, 2, 4)]
    assert pause_seconds(50) == LONGEST_PAUSE_SECONDS


def test_the_names_of_a_system_share_one_time_which_ends_long_before_the_claim() -> None:
    assert [connect_seconds(names) for names in (1, 2, 3)] == [1.5, 1.5, 1.0]
    assert CONNECT_SECONDS < NOTICE_SECONDS < LEASE_SECONDS / 3


def test_a_system_that_could_not_be_told_is_left_in_peace_for_longer_each_time() -> None:
    unreached = Unreached()
    assert unreached.rest(AGENT, 100.0) == (0.0, "")
    assert unreached.failed(AGENT, "silent", 1, 100.0) == 15.0
    assert unreached.rest(AGENT, 105.0) == (10.0, "not called again so soon: silent")
    assert unreached.rest(AGENT, 115.0)[0] == 0.0
    assert unreached.failed(AGENT, "silent", 1, 115.0) == 30.0, "another item, the same silence"
    assert unreached.failed(AGENT, "silent", 4, 200.0) == 120.0, "an item that was tried before this handler began"
    assert unreached.failed(AGENT, "silent", 1, 9000.0) == 15.0, "that was long ago"
    unreached.reached(AGENT)
    assert unreached.rest(AGENT, 9001.0) == (0.0, "")


@pytest.mark.parametrize(("came_from", "rest"), [("10.0.0.7", 0.0), ("192.0.2.1", 15.0)])
def test_who_has_called_in_since_is_told_again_unless_its_address_is_translated(came_from: str, rest: float) -> None:
    unreached = Unreached()
    unreached.failed(changed(last_update=None), "silent", 1, 100.0)
    since = changed(last_update=datetime(2026, 1, 1), remote_address=came_from)
    assert unreached.rest(since, 100.0)[0] == rest
