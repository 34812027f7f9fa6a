"""The words of `epolab verify`, and what its help lists."""

import pytest

from epolab.cli.command import build_parser
from epolab.errors import ArgumentError
from epolab.verify.promises import NAMES


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        ([], "lab", None),
        (["x", "-k", "relay or wan"], "expressions", ["relay or wan"]),
        (["x", "-k", "relay", "-k", "wan"], "expressions", ["relay", "wan"]),
        (["x", "--json"], "json", True),
    ],
)
def test_its_words(words: list[str], name: str, value: object) -> None:
    assert getattr(build_parser(["verify"]).parse_args(["verify", *words]), name) == value


def test_other_words_are_the_users_fault() -> None:
    with pytest.raises(ArgumentError):
        build_parser(["verify"]).parse_args(["verify", "--jun", "x"])


def test_its_help_lists_every_promise(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser(["verify"]).parse_args(["verify", "--help"])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("promises: ")]
    assert tuple(line.removeprefix("promises: ").split(", ")) == NAMES
