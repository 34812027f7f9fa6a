"""What is wrong about names, attempts and the end of a wake-up that meets obstacles."""

from dataclasses import replace
from pathlib import Path

import pytest

from epolab.topology import load_topology
from epolab.verify.segment_plan import NOTHING, Told
from epolab.verify.wake_trials_plan import (
    Tries,
    attempts_in,
    out_of_order,
    tried,
    wrong_abort,
    wrong_attempts,
    wrong_names,
    wrong_opening,
)

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
CONVERSATIONS = load_topology(TOPOLOGIES / "conversations.yaml")
NODE = CONVERSATIONS.node("lyon/lyon-pc")
ADDRESS = str(NODE.ipv4)
SEARCHED = f"ah-1 could not wake lyon-pc: lyon-pc.lyon.test:8081: no; lyon-pc:8081: no; {ADDRESS}:8081: no (it last …)"


def test_one_plain_agent_is_made_hard_to_reach_where_handler_groups_are_declared() -> None:
    assert tried(CONVERSATIONS) == ("hq/hq-pc",)
    assert tried(load_topology(TOPOLOGIES / "quickstart.yaml")) == ()


def test_the_order_of_names_is_read_from_the_log() -> None:
    assert out_of_order(NODE, SEARCHED) == ""
    other = f"{ADDRESS}:8081: no; lyon-pc:8081: no; lyon-pc.lyon.test:8081: no"
    assert out_of_order(NODE, other) == "tried in another order"
    assert out_of_order(NODE, "lyon-pc.lyon.test:8081: no") == f"not tried: lyon-pc, {ADDRESS}"


def woken_at(*names: str) -> tuple[Told, ...]:
    return tuple(Told("Completed", f"lyon-pc: completed: ah-1 woke lyon-pc at {n}:8081 (wake-up A)") for n in names)


def test_each_name_is_used_when_those_before_it_lead_nowhere() -> None:
    right = woken_at("lyon-pc.lyon.test", "lyon-pc", ADDRESS)
    assert wrong_names(NODE, 8081, right) == []
    for place in range(3):
        for wrong in (woken_at("10.9.9.9")[0], replace(right[place], state="Failed"), NOTHING):
            seen = [wrong if number == place else each for number, each in enumerate(right)]
            assert len(wrong_names(NODE, 8081, seen)) == 1


GIVEN_UP = Tries(Told("Failed", "could not"), 4.0, (100.0, 101.6, 104.0))


@pytest.mark.parametrize(
    "change",
    [
        {"at": (100.0, 101.6)},
        {"at": (100.0, 101.6, 103.1, 104.7)},
        {"at": (100.0, 100.5, 102.5)},
        {"at": (100.0, 101.6, 120.0)},
        {"told": Told("Completed", "")},
    ],
)
def test_attempts_are_counted_and_their_pauses_measured(change: dict[str, object]) -> None:
    assert wrong_attempts("a/b", GIVEN_UP) == []
    assert len(wrong_attempts("a/b", replace(GIVEN_UP, **change))) == 1  # type: ignore[arg-type]


ABORTED = Tries(Told("Ended", "could not"), 4.6, (100.0, 101.2, 103.0))


@pytest.mark.parametrize("change", [{"told": Told("Failed", "")}, {"took": 3.0}, {"took": 30.0}, {"at": (100.0,)}])
def test_a_wakeup_ends_when_its_time_is_over(change: dict[str, object]) -> None:
    assert wrong_abort("a/b", ABORTED) == []
    assert len(wrong_abort("a/b", replace(ABORTED, **change))) == 1  # type: ignore[arg-type]


def test_a_later_attempt_may_find_the_port_open() -> None:
    opened = Tries(Told("Completed", "woke"), 1.5, (100.0, 101.1))
    assert wrong_opening("a/b", opened, 1) == []
    assert len(wrong_opening("a/b", opened, 0)) == 1
    assert len(wrong_opening("a/b", replace(opened, at=(100.0,)), 1)) == 1
    assert len(wrong_opening("a/b", replace(opened, told=Told("Failed", "")), 1)) == 1


def test_moments_are_read_from_the_handlers_log() -> None:
    log = "2026-11-22T16:00:00.250Z INFO handler.wakeup wakeup A: …\n2026-11-22T16:00:02.000Z WARNING x\n"
    first, second = attempts_in(log)
    assert second - first == pytest.approx(1.75)
