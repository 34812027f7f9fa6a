"""Places on nodes and on this host."""

import pytest

from epolab.errors import ArgumentError
from epolab.steps.node import copy, split_place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("notes.txt", (None, "notes.txt")),
        ("/a:b", (None, "/a:b")),
        ("./a:b", (None, "./a:b")),
        ("pc-1:/etc/hosts", ("pc-1", "/etc/hosts")),
        ("pc-1:", ("pc-1", ".")),
        ("lab:hq/pc-1:/x", ("lab:hq/pc-1", "/x")),
    ],
)
def test_a_place(text, place):
    assert split_place(text) == place


@pytest.mark.parametrize(("source", "destination"), [("a", "b"), ("n:a", "m:b")])
def test_exactly_one_end_is_on_a_node(source, destination):
    with pytest.raises(ArgumentError, match="exactly one"):
        copy(source, destination)
