"""The words of `epolab wan`."""

import pytest

from epolab.cli.command import build_parser
from epolab.errors import ArgumentError


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["ls"], "action", "ls"),
        (["measure", "a-b", "--lab", "x"], "link", "a-b"),
        (["measure", "--lab", "x"], "lab", "x"),
        (["ls", "--json"], "json", True),
    ],
)
def test_its_words(words, name, value):
    assert getattr(build_parser(["wan"]).parse_args(["wan", *words]), name) == value


@pytest.mark.parametrize("words", [["fly"], ["measure", "--la", "x"], ["ls", "--js"]])
def test_other_words_are_the_users_fault(words):
    with pytest.raises(ArgumentError):
        build_parser(["wan"]).parse_args(["wan", *words])
