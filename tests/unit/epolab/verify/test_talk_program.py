"""The program that gives an agent orders, against an agent that answers from a book."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from epolab.verify import talk_program

OLD_START, START = "10:00 first call in 9 s, old", "11:00 first call in 0.3 s, drawn from the first 0.8 s"
EVENTS, BEGINS, ENDED = "11:01 called in to EPO (event)", "11:02 first call begins", "11:03 called in to EPO (start)"
LOG = "\n".join((OLD_START, "10:01 called in to EPO (start)", START, EVENTS, BEGINS, ENDED, ""))
UPLOAD = ["EVENTS (1)", "EVENTS ACCEPTED (1)"]


class Agent:
    """An agent's control socket: counts orders, and uploads an urgent event as its next call, or at an ASCI."""

    def __init__(self, path: Path) -> None:
        self.orders: list[dict[str, Any]] = []
        self.calls = 0
        self.spooled = 0
        self.session: list[str] = []
        self.reason = "manual"
        self.ascis_first = 0
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            with line:
                asked = json.loads(line.makefile("rb").readline())
                self.orders.append(asked)
                line.sendall(json.dumps(self._answer(asked)).encode() + b"\n")

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["order"] == "callin":
            self._call("manual", ["PROPS VERSION"], 0)
        if asked["order"] == "event":
            self.spooled += 1
            if asked["severity"] == 0 and self.ascis_first:
                self.ascis_first -= 1
                self._call("asci", ["PROPS VERSION"], 0)
            elif asked["severity"] == 0:
                self._call("event", UPLOAD, self.spooled - 1)
        result = {
            "last_callin_seconds": self.calls,
            "last_callin_reason": self.reason,
            "last_session": self.session,
            "spooled_events": self.spooled,
            "asci_seconds": 5.0,
            "enforcement_seconds": 1.0,
        }
        return {"ok": True, "result": result}

    def _call(self, reason: str, session: list[str], spooled: int) -> None:
        self.calls, self.reason, self.session, self.spooled = self.calls + 1, reason, session, spooled


@pytest.fixture(name="agent")
def agent_fixture(tmp_path: Path) -> Iterator[Agent]:
    (tmp_path / "list").write_text("<ns:SiteLists/>")
    (tmp_path / "log").write_text(LOG)
    agent = Agent(tmp_path / "socket")
    yield agent
    agent.close()


@pytest.fixture(name="talk")
def talk_fixture(agent: Agent, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    paths = {name: str(tmp_path / name) for name in ("socket", "log", "list")}
    given = {**paths, "text": "marker a/b", "urgent": 0, "ordinary": 7, "patience_s": 2.0}
    return lambda **more: talk_program.talk({**given, **more})


def test_both_events_are_raised_and_what_the_agent_says_is_told(
    agent: Agent, talk: Callable[..., dict[str, Any]]
) -> None:
    assert talk() == {
        "error": "",
        "session": ["PROPS VERSION"],
        "starts": [OLD_START, START],
        "came": BEGINS,
        "upload": UPLOAD,
        "kept": 1,
        "attempt": 0,
        "later": ["PROPS VERSION"],
        "left": 0,
        "list": "<ns:SiteLists/>",
        "asci_seconds": 5.0,
        "enforcement_seconds": 1.0,
    }
    texts = [(each["severity"], each["text"]) for each in agent.orders if each["order"] == "event"]
    assert texts == [(7, "marker a/b ordinary 0"), (0, "marker a/b urgent 0")]


def test_it_is_done_again_where_an_asci_came_in_between(agent: Agent, talk: Callable[..., dict[str, Any]]) -> None:
    agent.ascis_first = 2
    found = talk()
    assert (found["attempt"], found["upload"]) == (2, UPLOAD)


def test_an_agent_that_never_uploads_is_told_by_its_last_session(
    agent: Agent, talk: Callable[..., dict[str, Any]]
) -> None:
    agent.ascis_first = 99
    found = talk()
    assert (found["attempt"], found["upload"], found["kept"]) == (2, ["PROPS VERSION"], 0)


def test_without_an_ordinary_event_only_the_urgent_one_is_raised(
    agent: Agent, talk: Callable[..., dict[str, Any]]
) -> None:
    assert talk(ordinary=None)["kept"] == 0
    assert len([each for each in agent.orders if each["order"] == "event"]) == 1


def test_an_agent_that_refuses_cannot(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        talk_program.talk({"socket": str(tmp_path / "nobody"), "patience_s": 0.1})


@pytest.mark.parametrize("line", ["called in to EPO through relay r-1 (wakeup)", "not called in (manual): Error: gone"])
def test_another_call_may_come_before_the_first_one_that_was_drawn(tmp_path: Path, line: str) -> None:
    (tmp_path / "log").write_text(f"{START}\n{EVENTS}\nsession\n{line}\n{BEGINS}\n")
    assert talk_program.first_calls(str(tmp_path / "log")) == {"starts": [START], "came": line}


def test_a_log_without_a_start_tells_of_no_first_call(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"{ENDED}\n")
    assert talk_program.first_calls(str(tmp_path / "log")) == {"starts": [], "came": ""}


def test_a_start_without_a_call_since_has_none(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(f"{OLD_START}\n{ENDED}\n{START}\n{EVENTS}\n")
    assert talk_program.first_calls(str(tmp_path / "log")) == {"starts": [OLD_START, START], "came": ""}
