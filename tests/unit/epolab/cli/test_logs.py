"""The words of `epolab logs`."""

import pytest

from epolab.cli.command import build_parser
from epolab.errors import ArgumentError


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
