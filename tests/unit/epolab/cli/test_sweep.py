"""The words of `epolab sweep`."""

import pytest

from epolab.cli.command import build_parser
from epolab.errors import ArgumentError


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--all"], "all", True),
        ([], "all", False),
    ],
)
def test_its_words(words, name, value):
    assert getattr(build_parser(["sweep"]).parse_args(["sweep", *words]), name) == value


@pytest.mark.parametrize("word", ["x", "--a", "--al", "--alle"])
def test_other_words_are_the_users_fault(word):
    with pytest.raises(ArgumentError):
        build_parser(["sweep"]).parse_args(["sweep", word])
