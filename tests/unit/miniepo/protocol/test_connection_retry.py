"""Playbooks of how long an agent tries to reach one handler."""

from __future__ import annotations

from typing import get_args

import pytest

from miniepo.protocol.connection_retry import Attempt, ConnectionRetry, Outcome, Stop

METHODS = ("ip", "fqdn", "netbios")
HOURS = 3600.0


def play(retry: ConnectionRetry[str], *outcomes: Outcome, left: float = HOURS) -> list[str]:
    """Each command in a word, `2:fqdn` or the reason of the stop; the last outcome is repeated until it stops."""
    command, said = retry.start(left), []
    given = list(outcomes)
    while isinstance(command, Attempt):
        said.append(f"{command.round}:{command.method}")
        outcome = given.pop(0) if len(given) > 1 else given[0]
        command = retry.receive(outcome, left)
    return [*said, command.reason]


def test_ip_then_fqdn_then_netbios_six_times_over_make_18_attempts() -> None:
    expected = [f"{number}:{method}" for number in range(1, 7) for method in METHODS]
    assert len(expected) == 18
    assert play(ConnectionRetry(METHODS), "refused") == [*expected, "exhausted"]


def test_the_first_that_connects_is_it() -> None:
    assert play(ConnectionRetry(METHODS), "refused", "no-error") == ["1:ip", "1:fqdn", "no-error"]


def test_what_connects_in_a_later_round_ends_it_too() -> None:
    said = play(ConnectionRetry(METHODS), "refused", "refused", "refused", "no-error")
    assert said == ["1:ip", "1:fqdn", "1:netbios", "2:ip", "no-error"]


@pytest.mark.parametrize("outcome", [each for each in get_args(Outcome) if each != "no-error"])
def test_every_error_moves_on_to_the_next_way(outcome: Outcome) -> None:
    assert play(ConnectionRetry(METHODS), outcome, "no-error") == ["1:ip", "1:fqdn", "no-error"]


def test_another_host_in_a_handlers_place_is_not_asked_again() -> None:
    said = play(ConnectionRetry(METHODS, rounds=2), "untrusted", "refused", "refused", "refused")
    assert said == ["1:ip", "1:fqdn", "1:netbios", "2:fqdn", "2:netbios", "exhausted"]


def test_what_stayed_silent_is_not_waited_for_again() -> None:
    said = play(ConnectionRetry(METHODS), "silent", "refused", "unresolved", "refused")
    assert said == ["1:ip", "1:fqdn", "1:netbios", *(f"{number}:fqdn" for number in range(2, 7)), "exhausted"]


def test_patience_makes_all_attempts() -> None:
    assert len(play(ConnectionRetry(METHODS, patient=True), "silent")) == 18 + 1


def test_nothing_that_may_answer_ends_it_after_one_round() -> None:
    assert play(ConnectionRetry(METHODS), "silent") == ["1:ip", "1:fqdn", "1:netbios", "exhausted"]


@pytest.mark.parametrize("left", [1.5, 0.0, -3.0])
def test_near_the_next_asci_only_the_round_that_was_begun_is_ended(left: float) -> None:
    retry = ConnectionRetry(METHODS, attempt_seconds=1.5)
    assert play(retry, "refused", left=left) == ["1:ip", "1:fqdn", "1:netbios", "next-asci"]


def test_time_runs_out_between_two_attempts() -> None:
    retry = ConnectionRetry(("ip",), attempt_seconds=1.0)
    assert retry.start(3.0) == Attempt(1, "ip")
    assert retry.receive("refused", 2.0) == Attempt(2, "ip")
    assert retry.receive("refused", 1.0) == Stop("next-asci")


def test_one_round_is_enough_for_who_asks_for_no_more() -> None:
    assert play(ConnectionRetry(METHODS, rounds=1), "refused") == ["1:ip", "1:fqdn", "1:netbios", "exhausted"]
    assert play(ConnectionRetry((), rounds=1), "refused") == ["exhausted"]
