"""`miniepo ctl` on its command line."""

from pathlib import Path

import pytest

from miniepo.agent.ctl import main, read_arguments


def test_an_event_in_full() -> None:
    words = ["--state-dir", "/s", "event", "--id", "1092", "--severity", "3", "--text", "blocked", "--count", "2"]
    socket, order = read_arguments(words)
    assert socket == Path("/s/control.sock")
    assert (order.order, order.event_id, order.severity, order.text, order.count) == ("event", 1092, 3, "blocked", 2)


@pytest.mark.parametrize("verb", ["callin", "update", "enforce", "status"])
def test_the_other_verbs_need_nothing(verb: str) -> None:
    assert read_arguments([verb])[1].order == verb


def test_no_agent_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--state-dir", str(tmp_path), "callin"]) == 4
    assert "is the agent running?" in capsys.readouterr().err
