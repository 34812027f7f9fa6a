"""The words of `epolab down`."""

import io
import json

import pytest

from epolab.cli import down
from epolab.cli.command import build_parser
from epolab.cli.output import Output
from epolab.errors import ArgumentError, LabForeignError
from epolab.hands.docker import Docker
from epolab.provider import fabric


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (["quickstart"], "lab", "quickstart"),
        ([], "lab", None),
    ],
)
def test_its_words(words, name, value):
    assert getattr(build_parser(["down"]).parse_args(["down", *words]), name) == value


def test_other_words_are_the_users_fault():
    with pytest.raises(ArgumentError):
        build_parser(["down"]).parse_args(["down", *["a", "b"]])


def test_a_lab_that_could_not_be_removed_is_named_as_left(world, fabric_props, runtime, monkeypatch):
    fabric.create(world, fabric_props)
    monkeypatch.setattr(Docker, "connect", lambda: runtime)
    monkeypatch.setenv("EPOLAB_OWNER", "you")
    stdout = io.StringIO()
    out = Output(json_wanted=True, verbose=False, stdout=stdout, stderr=io.StringIO())
    with pytest.raises(LabForeignError):
        down.run(build_parser(["down"]).parse_args(["down", "lab"]), out)
    out.finish()
    assert json.loads(stdout.getvalue()) == {"removed": [], "left": ["lab"]}
