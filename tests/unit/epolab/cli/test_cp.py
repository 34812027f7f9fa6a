"""The words of `epolab cp`."""

import pytest

from epolab.cli.command import build_parser
from epolab.errors import ArgumentError


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["a", "n:b"], "source", "a"),
        (["a", "n:b"], "destination", "n:b"),
    ],
)
def test_its_words(words, name, value):
    assert getattr(build_parser(["cp"]).parse_args(["cp", *words]), name) == value


def test_other_words_are_the_users_fault():
    with pytest.raises(ArgumentError):
        build_parser(["cp"]).parse_args(["cp", *["a"]])
