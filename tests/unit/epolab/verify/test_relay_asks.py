"""Which of the requests to a relay are made again."""

from __future__ import annotations

from typing import Any

import pytest

from epolab.verify.relay_asks import MORE_ROUNDS, patient_answers_to
from epolab.verify.relay_plan import Ask
from tests.unit.epolab.verify.test_relay_plan import TOPOLOGY

CLIENT = TOPOLOGY.node("india/india-pc-1")
ASKS = [Ask("10.3.0.11", 8083, f"site-{name}:443", "a handler") for name in "abc"]
OK = {"ok": True, "code": "", "text": "spoke"}
NO = {"ok": False, "code": "unreachable", "text": "no answer within 2 s"}
BARRED = {"ok": False, "code": "not-listed", "text": "no site"}


class Script:
    """Answers each request from its own list of answers, the last one for ever."""

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self._answers = answers
        self.asked: list[list[str]] = []

    def python(self, path: str, program: str, value: Any) -> Any:
        assert path == CLIENT.path and "ask_relay" in program
        names = [each["connect"].partition(":")[0].removeprefix("site-") for each in value]
        self.asked.append(names)
        return [
            self._answers[name].pop(0) if len(self._answers[name]) > 1 else self._answers[name][0] for name in names
        ]


def test_only_who_was_not_reached_is_asked_for_again() -> None:
    script = Script(a=[OK], b=[NO, OK], c=[BARRED])
    assert patient_answers_to(script, CLIENT, ASKS) == list(zip(ASKS, [OK, OK, BARRED], strict=True))  # type: ignore[arg-type]
    assert script.asked == [["a", "b", "c"], ["b"]]


def test_a_relay_that_does_not_answer_is_asked_again() -> None:
    silent = {"ok": False, "code": "", "text": "TimeoutError: timed out"}
    script = Script(a=[silent, silent, OK], b=[OK], c=[OK])
    assert all(said["ok"] for _, said in patient_answers_to(script, CLIENT, ASKS))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    ["SSLCertVerificationError: certificate verify failed", "ConnectionError: the relay closed without an answer"],
)
def test_what_a_relay_or_a_site_does_wrong_counts_at_once(text: str) -> None:
    script = Script(a=[{"ok": False, "code": "", "text": text}, OK], b=[OK], c=[OK])
    assert dict(patient_answers_to(script, CLIENT, ASKS))[ASKS[0]]["text"] == text  # type: ignore[arg-type]
    assert len(script.asked) == 1


def test_who_is_never_reached_stays_so() -> None:
    script = Script(a=[OK], b=[NO], c=[OK])
    assert dict(patient_answers_to(script, CLIENT, ASKS))[ASKS[1]] == NO  # type: ignore[arg-type]
    assert len(script.asked) == 1 + MORE_ROUNDS
