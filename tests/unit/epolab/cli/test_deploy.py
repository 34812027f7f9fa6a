"""The words of `epolab deploy`."""

import pytest

from epolab.cli.command import build_parser
from epolab.errors import ArgumentError


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["quickstart", "--force"], "force", True),
        ([], "lab", None),
        ([], "force", False),
    ],
)
def test_its_words(words, name, value):
    assert getattr(build_parser(["deploy"]).parse_args(["deploy", *words]), name) == value


def test_other_words_are_the_users_fault():
    with pytest.raises(ArgumentError):
        build_parser(["deploy"]).parse_args(["deploy", *["--name", "x"]])
