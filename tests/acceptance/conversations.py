"""The one lab that all counterparts share: it comes up with the first of them, and leaves nothing after the last.

A counterpart takes the fixture `conversations`, breaks something behind the lab's back by `broken_promises` (always
with a context manager that mends it), and sees by `conversations.failures(...)` that exactly that promise fails.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from epolab.topology import load_topology
from tests.acceptance.lab import TOPOLOGIES, succeed
from tests.acceptance.verdicts import Examined
from tests.acceptance.world import assert_nothing_is_left, look

LAB = f"talk-{os.getpid()}"
FILE = TOPOLOGIES / "conversations.yaml"
UP_LIMIT_SECONDS = 1200
HOMES = "BESIDE_HOMES"
"""Where processes that have a shared lab each keep their EPOLAB_HOME; set by the one that began them."""
USED = "CONVERSATIONS_LAB"
"""Who writes a counterpart may set this to `HOME:LAB`: a lab that is up already is used, and stays."""


@pytest.fixture(scope="session", name="conversations")
def conversations_fixture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examined]:
    """The lab of `topologies/conversations.yaml`, with an EPOLAB_HOME of its own."""
    home, _, lab = os.environ.get(USED, "").rpartition(":")
    if home:
        yield Examined(Path(home), lab, load_topology(FILE))
    elif homes := os.environ.get(HOMES):
        yield from one_of_several(Path(homes) / LAB, FILE, LAB)
    else:
        yield from one_lab(tmp_path_factory.mktemp("talk") / "home", FILE, LAB)


def one_lab(home: Path, file: Path, lab: str) -> Iterator[Examined]:
    """A lab of that file while it is needed; afterwards nothing is left of it."""
    (home / "labs").mkdir(parents=True)
    before = look(home)
    yield from one_of_several(home, file, lab)
    assert_nothing_is_left(home, before)


def one_of_several(home: Path, file: Path, lab: str) -> Iterator[Examined]:
    """The same beside labs of other processes: whoever began those looks at what is left, when all are down."""
    (home / "labs").mkdir(parents=True, exist_ok=True)
    try:
        succeed(home, "up", file, "--name", lab, limit_seconds=UP_LIMIT_SECONDS)
        yield Examined(home, lab, load_topology(file))
    finally:
        succeed(home, "down", lab)


def turn(item: pytest.Item) -> int:
    """Whose turn comes when: first those without the shared lab, then its whole verdict, then what breaks it."""
    if "conversations" not in getattr(item, "fixturenames", ()):
        return 0
    return 1 if item.path.name == "test_conversations.py" else 2
