"""How an attempt to call an agent goes on, as playbooks: events in, commands out."""

from __future__ import annotations

import dataclasses

import pytest

from miniepo.handler.delivery import (
    Accepted,
    Again,
    Call,
    Command,
    Delivery,
    Done,
    Event,
    Patience,
    Refused,
    Unreached,
    Words,
    hint_of,
    names_of,
    wakeup_port,
)
from miniepo.protocol.relay_session import Endpoint
from tests.unit.miniepo.systems import system

WORDS = Words("hq/epo", "woke", "wake", "pc-1", " (because)")
ONCE = Patience()
NAMES = ("pc-1.test", "PC-1", "10.0.0.7")


def played(
    *events: Event, names: tuple[str, ...] = NAMES, patience: Patience = ONCE, words: Words = WORDS
) -> list[Command]:
    """All commands, from the first on."""
    delivery = Delivery(names, 8081, words, patience)
    return [delivery.start(), *(delivery.receive(event) for event in events)]


def call(host: str) -> Call:
    return Call(Endpoint(host, 8081))


def test_the_first_name_that_answers_is_enough() -> None:
    assert played(Accepted()) == [call("pc-1.test"), Done("completed", "hq/epo woke pc-1 at pc-1.test:8081")]


def test_names_are_tried_one_after_the_other_in_the_order_of_the_source() -> None:
    commands = played(Unreached("a"), Unreached("b"), Accepted())
    assert commands[:3] == [call("pc-1.test"), call("PC-1"), call("10.0.0.7")]
    assert commands[3] == Done("completed", "hq/epo woke pc-1 at 10.0.0.7:8081")


def test_who_is_reached_by_no_name_is_told_with_every_reason() -> None:
    commands = played(Unreached("a"), Unreached("b"), Unreached("c"))
    assert commands[-1] == Done("failed", "hq/epo could not wake pc-1: a; b; c (because)")


def test_a_refusal_ends_the_attempt() -> None:
    assert played(Refused("answered 403"))[-1] == Done("failed", "hq/epo could not wake pc-1: answered 403 (because)")


def test_a_system_without_a_name_cannot_be_called() -> None:
    assert played(names=()) == [Done("failed", "hq/epo could not wake pc-1: no address (because)")]


def test_attempts_are_made_again_after_the_interval_until_they_are_used_up() -> None:
    failing = (Unreached("a"),)
    for attempt in (1, 2):
        last = played(*failing, names=("pc-1",), patience=Patience(attempt, 3, 12.5))[-1]
        assert last == Again(12.5, "hq/epo could not wake pc-1: a (because)")
    assert isinstance(played(*failing, names=("pc-1",), patience=Patience(3, 3, 12.5))[-1], Done)


def test_no_attempt_follows_one_that_succeeded() -> None:
    assert played(Accepted(), patience=Patience(1, 5))[-1] == Done("completed", "hq/epo woke pc-1 at pc-1.test:8081")


def test_the_defaults_are_a_published_clients() -> None:
    assert Patience() == Patience(attempt=1, attempts=1, retry_seconds=30.0)


KNOWN = system(computer_name="PC-1", fqdn="pc-1.test", address="10.0.0.7")


def test_the_names_are_those_that_the_database_has() -> None:
    assert names_of(KNOWN) == ("pc-1.test", "PC-1", "10.0.0.7")
    assert names_of(dataclasses.replace(KNOWN, fqdn="", address="")) == ("PC-1",)
    assert names_of(dataclasses.replace(KNOWN, fqdn="pc-1", computer_name="pc-1")) == ("pc-1", "10.0.0.7")


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        ("8591", 8591),
        ("", 8081),
        ("0", 8081),
        ("x", 8081),
        ("70000", 8081),
        ("²", 8081),
        ("9" * 5000, 8081),
        ("0000199999999", 8081),
        ("000001" + "9" * 5000, 8081),
    ],
)
def test_the_port_is_the_one_that_the_agent_reports(reported: str, expected: int) -> None:
    assert wakeup_port(dataclasses.replace(KNOWN, properties={"WakeupPort": reported})) == expected


def test_an_agent_behind_a_relay_is_told_as_one() -> None:
    assert hint_of(dataclasses.replace(KNOWN, via_relay="relay-1")) == (
        " (it last called in through relay relay-1; it will be reached at its own ASCI)"
    )


@pytest.mark.parametrize(
    ("came_from", "told"),
    [
        ("100.64.0.1", True),
        ("10.0.0.7", False),
        ("fd00::99", True),
        ("fd00::7", False),
        ("fd00:0::7", False),
        ("127.0.0.1", False),
        ("", False),
    ],
)
def test_an_agent_behind_address_translation_is_told_as_one(came_from: str, told: bool) -> None:
    agent = dataclasses.replace(KNOWN, guid="G", ipv6="fd00::7", remote_address=came_from)
    assert ("address translation" in hint_of(agent)) is told
