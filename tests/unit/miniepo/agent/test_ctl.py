"""`miniepo ctl` on its command line."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from miniepo.agent.ctl import SOCKET, main, read_arguments


def test_a_custom_property_has_a_number_and_a_text() -> None:
    _, order = read_arguments(["property", "2", "building 7"])
    assert (order.order, order.number, order.text) == ("property", 2, "building 7")


def test_an_event_in_full() -> None:
    words = ["--state-dir", "/s", "event", "--id", "1092", "--severity", "3", "--text", "blocked", "--count", "2"]
    socket, order = read_arguments(words)
    assert socket == Path("/s/control.sock")
    assert (order.order, order.event_id, order.severity, order.text, order.count) == ("event", 1092, 3, "blocked", 2)


@pytest.mark.parametrize("verb", ["callin", "update", "enforce", "status"])
def test_the_other_verbs_need_nothing(verb: str) -> None:
    assert read_arguments([verb])[1].order == verb


def test_an_agent_that_calls_in_may_forget_its_relays_first() -> None:
    assert read_arguments(["callin", "--forget"])[1].forget
    assert not read_arguments(["callin"])[1].forget


def test_no_agent_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--state-dir", str(tmp_path), "callin"]) == 4
    assert "is the agent running?" in capsys.readouterr().err


@contextmanager
def answering(folder: Path, reply: dict[str, object]) -> Iterator[None]:
    """An agent that answers one order with this."""

    def answer() -> None:
        line, _ = listener.accept()
        with line:
            assert line.recv(65536).endswith(b"\n")
            line.sendall(json.dumps(reply).encode() + b"\n")

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / SOCKET))
        listener.listen()
        agent = threading.Thread(target=answer)
        agent.start()
        yield
        agent.join()


@pytest.mark.parametrize(
    ("reply", "code", "printed", "complaint"),
    [
        ({"ok": True, "result": {"outcome": "EPO: DAT 2"}}, 0, {"outcome": "EPO: DAT 2"}, ""),
        ({"ok": True}, 0, {}, ""),
        (
            {"ok": False, "result": {"outcome": "failed: no"}, "error": "failed: no"},
            1,
            {"outcome": "failed: no"},
            "failed: no\n",
        ),
        ({"ok": False, "error": "there is no custom property 9"}, 1, None, "there is no custom property 9\n"),
    ],
)
def test_a_reply_is_printed_and_what_failed_is_said_and_shows_in_the_exit_code(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    reply: dict[str, object],
    code: int,
    printed: dict[str, object] | None,
    complaint: str,
) -> None:
    with answering(tmp_path, reply):
        assert main(["--state-dir", str(tmp_path), "update"]) == code
    told = capsys.readouterr()
    assert (json.loads(told.out) if told.out else None) == printed and told.err == complaint
