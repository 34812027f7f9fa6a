"""The words of `epolab ls`."""

import pytest

from epolab.cli.command import build_parser
from epolab.errors import ArgumentError


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["--json"], "json", True),
        ([], "json", False),
    ],
)
def test_its_words(words, name, value):
    assert getattr(build_parser(["ls"]).parse_args(["ls", *words]), name) == value


def test_other_words_are_the_users_fault():
    with pytest.raises(ArgumentError):
        build_parser(["ls"]).parse_args(["ls", *["x"]])
