"""How a component's log lines look and where they go: one line per event on standard error, UTC, no secrets."""

from __future__ import annotations

import logging
import sys
import time

_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"
_DATES = "%Y-%m-%dT%H:%M:%S"


class _UtcFormatter(logging.Formatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return time.strftime(datefmt or _DATES, time.gmtime(record.created))


def configure(level: str = "INFO") -> None:
    """Send every logger's lines to standard error; the service supervisor stores them."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_UtcFormatter(_FORMAT, _DATES))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def logger(name: str) -> logging.Logger:
    """The logger of a room, for example `handler` or `server.pull`."""
    return logging.getLogger(name)
