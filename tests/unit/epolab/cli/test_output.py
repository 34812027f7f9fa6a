"""One document or a person's text."""

import io
import json

import pytest

from epolab.cli.output import PLAIN_COLUMNS, Output
from epolab.errors import OutputLostError


def output(*, json_wanted, verbose=False):
    stdout, stderr = io.StringIO(), io.StringIO()
    return Output(json_wanted=json_wanted, verbose=verbose, stdout=stdout, stderr=stderr), stdout, stderr


def test_results_go_to_standard_output_unless_a_document_does():
    out, stdout, stderr = output(json_wanted=False)
    out.show("result")
    out.say("words")
    out.finish()
    assert (stdout.getvalue(), stderr.getvalue()) == ("result\n", "words\n")


def test_with_json_there_is_exactly_one_document():
    out, stdout, stderr = output(json_wanted=True)
    out.document([1])
    out.document([1, 2])
    out.show("result")
    out.table("t", ("a",), [("b",)])
    out.finish()
    assert json.loads(stdout.getvalue()) == [1, 2]
    assert "result" in stderr.getvalue()


def test_an_error_stands_beside_an_object_but_replaces_a_list():
    out, stdout, _ = output(json_wanted=True)
    out.document([1])
    out.finish({"code": "x"})
    assert json.loads(stdout.getvalue()) == {"error": {"code": "x"}}


def test_details_only_when_asked_for():
    for verbose in (False, True):
        out, _, stderr = output(json_wanted=False, verbose=verbose)
        out.detail("more")
        assert bool(stderr.getvalue()) is verbose


def test_brackets_are_text_and_rows_are_not_folded():
    out, stdout, _ = output(json_wanted=False)
    out.show("[bold]x[/bold]")
    out.table("", ("a", "b"), [("1" * 60, "2" * 60)])
    assert "[bold]x[/bold]" in stdout.getvalue()
    assert f"{'1' * 60}  {'2' * 60}" in stdout.getvalue()
    assert max(map(len, stdout.getvalue().splitlines())) <= PLAIN_COLUMNS


def test_no_colour_where_there_is_no_terminal():
    out, stdout, _ = output(json_wanted=False)
    out.table("title", ("a",), [("b",)])
    assert "\x1b" not in stdout.getvalue()


class Full(io.StringIO):
    """A stream that takes nothing."""

    def write(self, text):
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("json_wanted", [False, True])
def test_words_that_cannot_be_written_are_an_error_of_their_own(json_wanted):
    out = Output(json_wanted=json_wanted, verbose=False, stdout=Full(), stderr=io.StringIO())
    with pytest.raises(OutputLostError, match="No space left"):
        out.finish() if json_wanted else out.show("result")
    with pytest.raises(OutputLostError, match="No space left"):
        Output(json_wanted=json_wanted, verbose=False, stderr=Full()).say("words")
