"""What all files of this suite know: the shared lab, which is up only while the tests that share it run, at the end.

Tests marked `beside` may run in two processes (`-n 2`), each of which has a shared lab of its own.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.acceptance.conversations import HOMES, conversations_fixture, turn
from tests.acceptance.world import World, assert_nothing_is_left, look

__all__ = ["conversations_fixture"]
BEFORE = pytest.StashKey[World]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on the shared lab come last, in their order: no other lab is looked at while it is there."""
    items.sort(key=turn)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Where processes have labs beside each other, nobody but the one that began them can look at the machine."""
    if _begins_others(session.config):
        os.environ[HOMES] = tempfile.mkdtemp(prefix="beside-")
        session.config.stash[BEFORE] = look(Path(os.environ[HOMES]))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """All labs are down: nothing is left of them."""
    if BEFORE in session.config.stash:
        homes = Path(os.environ.pop(HOMES))
        shutil.rmtree(homes)
        assert_nothing_is_left(homes, session.config.stash[BEFORE])


def _begins_others(config: pytest.Config) -> bool:
    return bool(config.getoption("numprocesses", None)) and not hasattr(config, "workerinput")
