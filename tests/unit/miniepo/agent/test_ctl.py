"""`miniepo ctl` on its command line."""

from pathlib import Path

import pytest

from miniepo.agent.ctl import main, read_arguments


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
