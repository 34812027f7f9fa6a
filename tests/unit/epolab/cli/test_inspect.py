"""The words of `epolab inspect`."""

import pytest

from epolab.cli.command import build_parser
from epolab.cli.inspect import meant
from epolab.errors import ArgumentError


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["l", "n"], "node", "n"),
        ([], "lab", None),
    ],
)
def test_its_words(words, name, value):
    assert getattr(build_parser(["inspect"]).parse_args(["inspect", *words]), name) == value


def test_other_words_are_the_users_fault():
    with pytest.raises(ArgumentError):
        build_parser(["inspect"]).parse_args(["inspect", *["a", "b", "c"]])


@pytest.mark.parametrize(
    ("words", "labs", "lab", "node"),
    [
        ((None, None), ["one"], "one", None),
        (("one", None), ["one", "two"], "one", None),
        (("one", "pc-1"), ["one", "two"], "one", "pc-1"),
        (("pc-1", None), ["one"], "one", "pc-1"),
        (("hq/pc-1", None), ["one"], "one", "hq/pc-1"),
        (("two:hq/pc-1", None), ["one", "two"], "two", "hq/pc-1"),
    ],
)
def test_a_first_word_may_be_a_lab_or_a_node(words, labs, lab, node):
    assert meant(*words, labs) == (lab, node)
