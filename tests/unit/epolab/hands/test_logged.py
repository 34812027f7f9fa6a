"""Long programs: their lines are shown and kept, their failure carries the end of the log."""

import sys
from pathlib import Path

import pytest

from epolab.errors import CommandFailedError, ToolMissingError
from epolab.hands.logged import run_logged


def program(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_lines_are_shown_and_kept(tmp_path: Path) -> None:
    shown: list[str] = []
    run_logged(program("print('one'); print('two')"), log=tmp_path / "log", on_line=shown.append)
    assert shown == ["one", "two"]
    assert (tmp_path / "log").read_text() == "one\ntwo\n"


def test_the_output_can_be_a_file_of_its_own(tmp_path: Path) -> None:
    text = "import sys; print('data'); print('word', file=sys.stderr)"
    run_logged(program(text), log=tmp_path / "log", output=tmp_path / "out")
    assert ((tmp_path / "out").read_text(), (tmp_path / "log").read_text()) == ("data\n", "word\n")


def test_a_failure_carries_the_end_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError) as raised:
        run_logged(program("print('why'); raise SystemExit(3)"), log=tmp_path / "log")
    assert raised.value.evidence == ["why"]
    assert str(tmp_path / "log") in raised.value.hint


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError, match="no-such-program"):
        run_logged(["no-such-program"], log=tmp_path / "log")
