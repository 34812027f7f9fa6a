"""Who calls an agent that accepts connections only from the ePO server, and what each has to hear."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from epolab.topology import load_topology
from epolab.verify.callers import REFUSAL, Visit, call, visits, wrong_answers
from epolab.verify.knocks import Answer, Knock
from epolab.verify.wakeups import Woken
from epolab.verify.witness import Witness

TOPOLOGIES = Path(__file__).parents[4] / "topologies"
CONVERSATIONS, MIXED = (load_topology(TOPOLOGIES / f"{name}.yaml") for name in ("conversations", "mixed-versions"))
WELCOMED = Answer("open", b"HTTP/1.1 200 OK\r\n\r\n<naLog/>".hex(), "", 1.0)
REFUSED = Answer("open", (b"HTTP/1.1 403 Forbidden\r\n\r\n10.0.0.1 " + REFUSAL).hex(), "", 1.0)


def guests(path: str, topology: Any) -> dict[str, bool]:
    return {visit.guest: visit.welcome for visit in visits(topology, topology.node(path))}


@pytest.mark.parametrize(
    ("path", "heard"),
    [
        ("hq/v4-0", {"hq/epo": True, "hq/ah-1": False, "hq/v4-0": False}),
        ("hq/v4-5", {"hq/epo": True, "hq/ah-1": True, "hq/v4-5": False}),
    ],
)
def test_an_agent_before_4_5_answers_its_first_handler_alone(path: str, heard: dict[str, bool]) -> None:
    assert guests(path, MIXED) == heard


def test_a_handler_that_the_list_does_not_name_is_a_stranger() -> None:
    heard = {"hq/epo": True, "dmz/ah-1": True, "dmz/ah-2": False, "tokyo/tokyo-pc": False}
    assert guests("tokyo/tokyo-pc", CONVERSATIONS) == heard


def test_strangers_say_a_wakeup_too_in_both_families() -> None:
    made = visits(CONVERSATIONS, CONVERSATIONS.node("tokyo/tokyo-pc"), b"POST /wakeup HTTP/1.1\r\n\r\n")
    said = [visit for visit in made if "says a wake-up" in visit.text]
    assert {visit.guest for visit in said} == {"dmz/ah-2", "tokyo/tokyo-pc"}
    assert len(said) == 4 and len(made) == 4 + 8


class Lab:
    """A lab that answers everybody in the same way."""

    topology = CONVERSATIONS

    def runs(self, path: str) -> bool:
        return path != "dmz/ah-1"

    def everywhere(self, work: dict[str, list[Knock]]) -> dict[str, list[Answer]]:
        return {guest: [REFUSED for _ in knocks] for guest, knocks in work.items()}


def test_all_are_visited_at_once_but_by_those_that_do_not_run() -> None:
    woken = {"tokyo/tokyo-pc": Woken("tokyo/tokyo-pc", "tokyo-pc.tokyo.test", 8081)}
    made = call(cast(Witness, Lab()), woken)["tokyo/tokyo-pc"]
    assert {visit.guest for visit, _ in made} == {"hq/epo", "dmz/ah-2", "tokyo/tokyo-pc"}


VISIT = Visit("hq/epo", "a/b", "asks for the log page", True, Knock("tcp", "10.0.0.2", 8081))


@pytest.mark.parametrize(("welcome", "answer"), [(True, WELCOMED), (False, REFUSED)])
def test_what_each_has_to_hear(welcome: bool, answer: Answer) -> None:
    assert wrong_answers("a/b", [(replace(VISIT, welcome=welcome), answer)]) == []
    other = REFUSED if welcome else WELCOMED
    [(wanted, told)] = wrong_answers("a/b", [(replace(VISIT, welcome=welcome), other)])
    assert "hq/epo asks for the log page over IPv4" in wanted and "HTTP/1.1" in told


def test_a_refusal_for_another_reason_does_not_count() -> None:
    forged = Answer("open", b"HTTP/1.1 403 Forbidden\r\n\r\nthe nonce was seen before".hex(), "", 1.0)
    assert len(wrong_answers("a/b", [(replace(VISIT, welcome=False), forged)])) == 1
    assert len(wrong_answers("a/b", [(replace(VISIT, welcome=False), Answer("silent", "", "", 1.0))])) == 1
