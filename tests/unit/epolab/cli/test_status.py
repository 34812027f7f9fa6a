"""The words of `epolab status`."""

import pytest

from epolab.cli.command import build_parser
from epolab.errors import ArgumentError


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["quickstart"], "lab", "quickstart"),
        ([], "lab", None),
    ],
)
def test_its_words(words, name, value):
    assert getattr(build_parser(["status"]).parse_args(["status", *words]), name) == value


def test_other_words_are_the_users_fault():
    with pytest.raises(ArgumentError):
        build_parser(["status"]).parse_args(["status", *["a", "b"]])
