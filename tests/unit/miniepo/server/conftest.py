"""What the tests of the server's Run Client Task Now share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.unit.miniepo.server.run_now_world import Script, World, play


@pytest.fixture
def played(tmp_path: Path) -> Callable[[Script], World]:
    return partial(play, tmp_path)
