"""Whether an agent is told that something waits, by which names, or why not; and when again."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from miniepo.handler.datachannel_notice import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    GiveUp,
    LeaveWaiting,
    Tell,
    decide,
    pause_seconds,
)
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
