"""A log line has a UTC time, a level, a room and a message."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

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


FORGED = "x\n20260101000000 E Srv 1 NAIMSRV  ForwardDataChannelMessageToJava - Failed to send request\r\x1b[2J\u2028"
WRITTEN = (
    "x\\n20260101000000 E Srv 1 NAIMSRV  ForwardDataChannelMessageToJava - Failed to send request\\r\\x1b[2J\\u2028"
)


def test_whatever_a_message_holds_is_one_line(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    log.logger("handler").warning("no system %s", FORGED)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"WARNING handler no system {WRITTEN}")


def test_a_traceback_keeps_its_lines(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure()
    try:
        raise ValueError("broken")
    except ValueError:
        log.logger("handler").exception("a\nb")
    first, *more = capsys.readouterr().err.splitlines()
    assert first.endswith("ERROR handler a\\nb")
    assert (more[0], more[-1]) == ("Traceback (most recent call last):", "ValueError: broken")


@pytest.fixture
def server_log() -> Iterator[logging.Logger]:
    logger = logging.getLogger("server.log")
    handlers, level = logger.handlers[:], logger.level
    yield logger
    for handler in logger.handlers:
        handler.close()
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_server_log_has_the_published_shape(server_log: logging.Logger, tmp_path: Path) -> None:
    log.open_server_log(str(tmp_path / "server.log"))
    log.server_log("McUpload").error("Failed to send http request.  Error=%d (%d)", 12029, 12029)
    log.server_log("NAIMSRV").warning("late")
    log.server_log("NAIMSRV").info("done")
    first, second, third = (tmp_path / "server.log").read_text().splitlines()
    assert re.fullmatch(r"\d{14} E Srv \d+ McUpload Failed to send http request\.  Error=12029 \(12029\)", first)
    assert re.fullmatch(r"\d{14} W Srv \d+ NAIMSRV  late", second)
    assert re.fullmatch(r"\d{14} I Srv \d+ NAIMSRV  done", third)


def test_nobody_forges_a_line_of_the_server_log(server_log: logging.Logger, tmp_path: Path) -> None:
    log.open_server_log(str(tmp_path / "server.log"))
    log.server_log("NAIMSRV").error("no way to %s", FORGED)
    (line,) = (tmp_path / "server.log").read_text().splitlines()
    assert line.endswith(f"NAIMSRV  no way to {WRITTEN}")


def test_server_log_that_is_moved_away_begins_anew(server_log: logging.Logger, tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    log.open_server_log(str(path))
    log.server_log("NAIMSRV").error("one")
    path.rename(tmp_path / "server.log.1")
    log.server_log("NAIMSRV").error("two")
    assert path.read_text().endswith("two\n") and "one" not in path.read_text()
