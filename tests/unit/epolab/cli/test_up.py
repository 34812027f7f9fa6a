"""The words of `epolab up`."""

from pathlib import Path

import pytest

from epolab.cli.command import build_parser
from epolab.errors import ArgumentError


def parsed(*words):
    return build_parser(["up", *words]).parse_args(["up", *words])


def test_all_its_words():
    args = parsed("x.yaml", "--name", "n", "--ttl", "4h", "--attached", "--keep-on-failure", "--no-deploy")
    assert (args.file, args.name, args.ttl) == (Path("x.yaml"), "n", "4h")
    assert (args.attached, args.keep_on_failure, args.no_deploy) == (True, True, True)


def test_a_file_is_enough():
    args = parsed("x.yaml")
    assert (args.name, args.ttl, args.attached, args.keep_on_failure, args.no_deploy) == (
        None,
        None,
        False,
        False,
        False,
    )


def test_without_a_file_it_is_the_users_fault():
    with pytest.raises(ArgumentError):
        parsed()
