"""The command line's frame: options on both sides of the verb, one document, exit codes."""

import argparse
import errno
import inspect
import json
import types
from collections.abc import Callable, Sequence

import pytest

from epolab.cli import command as frame
from epolab.cli.output import Output
from epolab.errors import ArgumentError, EngineError


@pytest.fixture(name="spoken")
def spoken_fixture(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs `ls`, which ends as the test wants it, and gives exit code, standard output and standard error."""

    def speak(
        end: int | BaseException,
        document: object = None,
        *,
        json_wanted: bool = True,
        options: Sequence[str] = (),
        **verb: str,
    ) -> tuple[int, str, str]:
        def run(_args: argparse.Namespace, out: Output) -> int:
            out.document(document)
            if isinstance(end, BaseException):
                raise end
            return end

        words = {"SUMMARY": "try", "EXAMPLES": "  epolab ls", "add_arguments": lambda parser: None, "run": run}
        monkeypatch.setattr(frame, "load_verb", lambda name: types.SimpleNamespace(**words, **verb))
        code = frame.run([*(["--json"] if json_wanted else []), *options, "ls"])
        return code, *capsys.readouterr()

    return speak


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


def test_a_verb_is_a_short_file() -> None:
    long = {name for name in frame.listed_verbs() if len(inspect.getsource(frame.load_verb(name)).splitlines()) > 60}
    assert long == set()


def test_success_is_one_document(spoken) -> None:
    code, stdout, _ = spoken(1, {"lab": "x"})
    assert (code, json.loads(stdout)) == (1, {"lab": "x"})


def test_failure_is_one_document_too_beside_what_was_known(spoken) -> None:
    code, stdout, stderr = spoken(EngineError("broke", hint="mend", step="engine"), {"lab": "x"})
    document = json.loads(stdout)
    assert code == 4
    assert document["lab"] == "x"
    assert document["error"]["code"] == "engine"
    assert "broke" in stderr
    assert "mend" in stderr


def test_an_interrupt_is_130_and_says_what_is_left_and_what_to_type(spoken) -> None:
    code, stdout, stderr = spoken(KeyboardInterrupt(), INTERRUPTED="half is done")
    error = json.loads(stdout)["error"]
    assert (code, error["code"], error["message"]) == (130, "interrupted", "interrupted: half is done")
    assert error["hint"] == "epolab --json ls"
    assert "half is done" in stderr


def test_an_interrupted_verb_that_only_looks_changed_nothing(spoken) -> None:
    assert json.loads(spoken(KeyboardInterrupt())[1])["error"]["message"] == "interrupted: nothing was changed"


@pytest.mark.parametrize("name", ["up", "down", "sweep", "deploy", "verify", "wan"])
def test_a_verb_that_works_says_what_ctrl_c_leaves(name: str) -> None:
    assert "same command" in frame.load_verb(name).INTERRUPTED


def test_without_json_there_is_no_document(spoken) -> None:
    assert spoken(0, {"lab": "x"}, json_wanted=False)[1] == ""


def test_a_mistake_of_ours_has_a_traceback_a_document_and_an_exit_code(spoken) -> None:
    code, stdout, stderr = spoken(ZeroDivisionError("by nothing"), {"lab": "x"})
    document = json.loads(stdout)
    assert (code, document["lab"], document["error"]["code"]) == (4, "x", "internal")
    assert document["error"]["message"] == "ZeroDivisionError: by nothing"
    assert "report" in document["error"]["hint"]
    assert "Traceback" in stderr
    assert "test_command.py" in stderr


def test_a_host_that_refuses_a_file_is_no_mistake_of_ours(spoken) -> None:
    code, stdout, stderr = spoken(OSError(errno.ENOSPC, "No space left on device", "/home/labs/x"), {"lab": "x"})
    error = json.loads(stdout)["error"]
    assert (code, error["code"], error["message"]) == (4, "file-refused", "/home/labs/x: No space left on device")
    assert "df -h" in error["hint"]
    assert "Traceback" not in stderr
    assert json.loads(spoken(OSError(errno.EBADF, "Bad file descriptor"))[1])["error"]["code"] == "internal"


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.EROFS, errno.EIO])
def test_only_a_full_disk_is_for_df_to_look_at(spoken, number: int) -> None:
    error = json.loads(spoken(OSError(number, "no", "/x"))[1])["error"]
    assert error["code"] == "file-refused"
    assert "df -h" not in error["hint"]
    assert "epolab status" in error["hint"]


def test_where_a_file_was_refused_is_told_to_who_asks_for_more(spoken) -> None:
    stderr = spoken(PermissionError(errno.EACCES, "Permission denied", "/x"), options=["-v"])[2]
    assert "Traceback" in stderr
    assert "test_command.py" in stderr
    assert "Traceback" not in spoken(PermissionError(errno.EACCES, "Permission denied", "/x"))[2]


@pytest.mark.parametrize("argv", [["ls", "--js"], ["--verb", "ls"], ["up", "f", "--na", "x"], ["deploy", "--forc"]])
def test_an_option_is_known_by_its_whole_name_alone(argv: list[str]) -> None:
    with pytest.raises(ArgumentError):
        frame.build_parser(argv).parse_args(argv)


def test_wrong_arguments_end_with_2_and_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert frame.run(["--json", "fly"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "argument"


def test_help_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert frame.run(["--json", "ls", "--help"]) == 0
    assert "epolab ls" in capsys.readouterr().out
