"""A log line has a UTC time, a level, a room and a message."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

import pytest

from miniepo import log


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)


def test_lines_go_to_standard_error_once(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    log.configure()
    log.logger("handler").info("handler %d", 7)
    log.logger("handler").debug("not shown")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO handler handler 7", lines[0])
