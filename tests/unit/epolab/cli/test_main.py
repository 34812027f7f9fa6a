"""The command line's frame: options on both sides of the verb, one document, exit codes."""

import argparse
import io
import json
import types

import pytest

from epolab.cli import main as frame
from epolab.cli.output import Output
from epolab.errors import ArgumentError, EngineError

VERB = types.SimpleNamespace(SUMMARY="try", EXAMPLES="  epolab ls", add_arguments=lambda parser: None)


def spoken(code: int | BaseException, document: object, *, json_wanted: bool = True) -> tuple[int, str, str]:
    """Run one verb that ends so, and give exit code, standard output and standard error."""

    def run(_args: argparse.Namespace, out: Output) -> int:
        out.document(document)
        if isinstance(code, BaseException):
            raise code
        return code

    stdout, stderr = io.StringIO(), io.StringIO()
    out = Output(json_wanted=json_wanted, verbose=False, stdout=stdout, stderr=stderr)
    VERB.run = run
    return frame.run_verb(VERB, argparse.Namespace(), out), stdout.getvalue(), stderr.getvalue()


@pytest.mark.parametrize("argv", [["--json", "-v", "ls"], ["ls", "--json", "-v"], ["--json", "ls", "--verbose"]])
def test_options_stand_before_or_after_the_verb(argv: list[str]) -> None:
    args = frame.build_parser(argv).parse_args(argv)
    assert (args.verb, args.json, args.verbose) == ("ls", True, True)


def test_without_options_nothing_is_wanted() -> None:
    args = frame.build_parser(["ls"]).parse_args(["ls"])
    assert (args.json, args.verbose) == (False, False)


@pytest.mark.parametrize("argv", [["fly"], [], ["ls", "--fly"], ["up"]])
def test_words_that_are_not_understood_are_the_users_fault(argv: list[str]) -> None:
    with pytest.raises(ArgumentError):
        frame.build_parser(argv).parse_args(argv)


def test_a_command_after_the_node_keeps_its_own_options() -> None:
    argv = ["ssh", "pc-1", "ls", "--json", "-v"]
    args = frame.build_parser(argv).parse_args(argv)
    assert (args.json, args.command) == (False, ["ls", "--json", "-v"])


def test_every_listed_verb_can_be_loaded_and_speaks() -> None:
    for name in frame.listed_verbs():
        verb = frame.load_verb(name)
        assert verb.SUMMARY
        assert f"epolab {name}" in verb.EXAMPLES


def test_success_is_one_document() -> None:
    code, stdout, _ = spoken(1, {"lab": "x"})
    assert (code, json.loads(stdout)) == (1, {"lab": "x"})


def test_failure_is_one_document_too_beside_what_was_known() -> None:
    code, stdout, stderr = spoken(EngineError("broke", hint="mend", step="engine"), {"lab": "x"})
    document = json.loads(stdout)
    assert code == 4
    assert document["lab"] == "x"
    assert document["error"]["code"] == "engine"
    assert "broke" in stderr
    assert "mend" in stderr


def test_an_interrupt_is_130() -> None:
    code, stdout, _ = spoken(KeyboardInterrupt(), None)
    assert (code, json.loads(stdout)["error"]["code"]) == (130, "interrupted-by-user")


def test_without_json_there_is_no_document() -> None:
    assert spoken(0, {"lab": "x"}, json_wanted=False)[1] == ""


def test_a_programmers_mistake_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        spoken(ZeroDivisionError(), None)


def test_wrong_arguments_end_with_2_and_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert frame.run(["--json", "fly"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "argument"
