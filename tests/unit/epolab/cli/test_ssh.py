"""The words of `epolab ssh`."""

import pytest

from epolab.cli.command import build_parser
from epolab.errors import ArgumentError


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["n"], "command", []),
        (["l:n", "ls", "-l"], "command", ["ls", "-l"]),
        (["l:n", "ls"], "node", "l:n"),
    ],
)
def test_its_words(words, name, value):
    assert getattr(build_parser(["ssh"]).parse_args(["ssh", *words]), name) == value


def test_other_words_are_the_users_fault():
    with pytest.raises(ArgumentError):
        build_parser(["ssh"]).parse_args(["ssh", *[]])
