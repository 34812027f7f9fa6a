"""The words of `epolab logs`."""

from types import SimpleNamespace

import pytest

from epolab.cli import logs
from epolab.cli.command import build_parser
from epolab.cli.output import Output
from epolab.errors import ArgumentError, CommandFailedError
from epolab.hands.run import Completed


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["n"], "service", None),
        (["n", "cmdagent", "-f"], "follow", True),
        (["n", "-n", "5"], "lines", 5),
        (["n"], "lines", 200),
    ],
)
def test_its_words(words, name, value):
    assert getattr(build_parser(["logs"]).parse_args(["logs", *words]), name) == value


def test_other_words_are_the_users_fault():
    with pytest.raises(ArgumentError):
        build_parser(["logs"]).parse_args(["logs", *[]])


@pytest.mark.parametrize("json_wanted", [True, False])
def test_logs_that_cannot_be_read_to_their_end_are_the_worlds_failure(monkeypatch, json_wanted):
    monkeypatch.setattr(logs, "find_target", lambda text: SimpleNamespace(lab="lab", path="hq/pc"))
    monkeypatch.setattr(logs, "log_command", lambda target, service, follow, lines: ["tail"])
    monkeypatch.setattr(logs, "attach", lambda target, command: 1)
    monkeypatch.setattr(logs, "capture", lambda target, command: Completed(1, b"one\n", b""))
    out = Output(json_wanted=json_wanted, verbose=False)
    with pytest.raises(CommandFailedError, match="tail ended with 1"):
        logs.run(build_parser(["logs"]).parse_args(["logs", "pc"]), out)


@pytest.mark.parametrize("code", [255, 141, 0])
def test_a_reader_that_has_had_enough_is_no_failure(monkeypatch, code):
    monkeypatch.setattr(logs, "find_target", lambda text: SimpleNamespace(lab="lab", path="hq/pc"))
    monkeypatch.setattr(logs, "log_command", lambda target, service, follow, lines: ["tail"])
    monkeypatch.setattr(logs, "attach", lambda target, command: code)
    monkeypatch.setattr(logs, "is_reader_gone", lambda: True)
    assert logs.run(build_parser(["logs"]).parse_args(["logs", "pc"]), Output(json_wanted=False, verbose=False)) == 0
