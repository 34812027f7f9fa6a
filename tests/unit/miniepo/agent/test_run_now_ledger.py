"""Playbooks of an agent's memory of Run Client Task Now: deliveries, kills and ends in, saves, runs and reports out."""

from __future__ import annotations

import pytest

from miniepo.agent.run_now_ledger import (
    KEPT_AFTER_SECONDS,
    Awoken,
    Begins,
    Command,
    Delivered,
    Ended,
    Event,
    Leaves,
    Ledger,
    Progressed,
    Save,
    Schedule,
    Settled,
    Tell,
    Waits,
)
from miniepo.protocol.messages import ClientTask
from miniepo.protocol.run_now import NO_FINAL_STATUS, RunTask

REQUEST = RunTask(task=ClientTask(id="7", name="Scan", type="scan"))
NOW = 1000.0
DELIVERED = Delivered("m-1", "42", REQUEST, expires=NOW + 300)


def seen(command: Command) -> str:
    """A command in a word."""
    match command:
        case Tell(correlation, report):
            return f"tell {correlation} {report.status} {report.percent}"
        case Schedule(entry):
            return f"run {entry.id}"
        case Save(entries):
            return "save " + ",".join(f"{entry.id}={entry.phase}" for entry in entries)


def play(ledger: Ledger, *events: Event, now: float = NOW) -> list[str]:
    return [seen(command) for event in events for command in ledger.receive(event, now)]


def on_disk(ledger: Ledger, *events: Event) -> Ledger:
    """The ledger of the agent's next life: what the last save held, or what was there before."""
    saved = Save(())
    for event in events:
        saved = next((command for command in reversed(ledger.receive(event, NOW)) if isinstance(command, Save)), saved)
    return Ledger(saved.entries)


def test_a_request_is_on_the_disk_before_it_is_acknowledged_and_run() -> None:
    assert play(Ledger(), DELIVERED) == ["save m-1=accepted", "tell 42 received 0", "run m-1"]


def test_a_task_is_marked_as_begun_before_it_begins_and_as_over_after_its_end_was_told() -> None:
    ledger = Ledger()
    play(ledger, DELIVERED)
    assert play(ledger, Begins("m-1")) == ["save m-1=begun", "tell 42 started 0"]
    assert play(ledger, Progressed("m-1", 30), Progressed("m-1", 30), Progressed("m-1", 20)) == ["tell 42 progress 30"]
    assert play(ledger, Ended("m-1", "succeeded", "done"), Settled()) == ["tell 42 succeeded 30", "save m-1=over"]
    assert play(ledger, Ended("m-1", "failed", "again"), Progressed("m-1", 99)) == []


@pytest.mark.parametrize(
    "before",
    [
        [DELIVERED],
        [DELIVERED, Begins("m-1")],
        [DELIVERED, Begins("m-1"), Ended("m-1", "failed", "no repository")],
        [DELIVERED, Begins("m-1"), Ended("m-1", "failed", "no repository"), Settled()],
        [DELIVERED, Begins("m-1"), Leaves()],
    ],
)
def test_a_request_delivered_twice_runs_once_also_in_the_next_life(before: list[Event]) -> None:
    ledger = Ledger()
    again = on_disk(ledger, *before)
    assert play(ledger, DELIVERED) == []
    play(again, Awoken())
    assert play(again, DELIVERED) == []


def test_a_kill_between_the_request_and_its_beginning_lets_it_run_in_the_next_life() -> None:
    assert play(on_disk(Ledger(), DELIVERED), Awoken()) == ["run m-1"]


def test_a_kill_while_the_task_ran_ends_it_as_unknown_and_it_never_runs_again() -> None:
    ledger = on_disk(Ledger(), DELIVERED, Begins("m-1"))
    assert play(ledger, Awoken()) == [f"tell 42 {NO_FINAL_STATUS} 0", "save m-1=over"]
    assert play(ledger, Awoken()) == []


def test_a_task_that_cannot_begin_ends_without_having_begun_and_never_runs() -> None:
    ledger = Ledger()
    play(ledger, DELIVERED)
    assert play(ledger, Ended("m-1", "failed", "no space left")) == ["tell 42 failed 0"]
    assert play(ledger, Awoken(), DELIVERED) == [] and play(ledger, Settled()) == ["save m-1=over"]
    assert play(on_disk(Ledger(), DELIVERED, Ended("m-1", "failed", ""), Settled()), Awoken()) == []


def test_an_agent_that_leaves_says_so_of_what_runs_only() -> None:
    ledger = Ledger()
    waiting = Delivered("m-2", "43", REQUEST, expires=NOW + 300)
    play(ledger, DELIVERED, waiting, Begins("m-1"))
    assert play(ledger, Leaves()) == [f"tell 42 {NO_FINAL_STATUS} 0", "save m-1=over,m-2=accepted"]
    assert play(ledger, Leaves()) == []


def test_a_task_that_waits_for_another_tells_it() -> None:
    ledger = Ledger()
    play(ledger, DELIVERED)
    assert play(ledger, Waits("m-1")) == ["tell 42 waiting 0"]


def test_a_request_after_its_time_is_not_run() -> None:
    assert play(Ledger(), DELIVERED, now=NOW + 301) == ["tell 42 failed 0"]


def test_the_random_delay_is_part_of_what_is_kept() -> None:
    spread = Delivered("m-1", "42", REQUEST, expires=NOW + 300, delay_seconds=60)
    entries = [command.entry for command in Ledger().receive(spread, NOW) if isinstance(command, Schedule)]
    assert [entry.not_before for entry in entries] == [NOW + 60]


def test_what_is_over_is_forgotten_when_its_time_is_over() -> None:
    ledger = Ledger()
    play(ledger, DELIVERED, Begins("m-1"), Ended("m-1", "succeeded", ""), Settled())
    later = NOW + 301 + KEPT_AFTER_SECONDS
    second = Delivered("m-2", "43", REQUEST, expires=later + 300)
    assert play(ledger, second, now=later)[0] == "save m-2=accepted"
    assert play(ledger, DELIVERED, now=later) == ["tell 42 failed 0"]
