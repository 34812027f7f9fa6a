"""How a component's log lines look and where they go: one line per event on standard error, UTC, no secrets."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
import time

_FORMAT = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"
_DATES = "%Y-%m-%dT%H:%M:%S"
_SERVER_LOG = "server.log"


_CONTROLS = {code: repr(chr(code))[1:-1] for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)}
"""What ends a line or moves a terminal's cursor, and how it is written in a message, which may hold others' words."""


class _UtcFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = record.message.translate(_CONTROLS)
        return super().formatMessage(record)

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


class _ServerLogFormatter(logging.Formatter):
    """`YYYYMMDDhhmmss E Srv <thread id> <module, 8 wide> <text>`, as two published lines of a server.log have it."""

    def format(self, record: logging.LogRecord) -> str:
        when = time.strftime("%Y%m%d%H%M%S", time.gmtime(record.created))
        level = "E" if record.levelno >= logging.ERROR else "W" if record.levelno >= logging.WARNING else "I"
        module, message = record.name.rpartition(".")[2], record.getMessage().translate(_CONTROLS)
        return f"{when} {level} Srv {threading.get_native_id()} {module:<8} {message}"


def open_server_log(path: str) -> None:
    """Write what `server_log` gets to this file, the server's and the handlers' `server.log`; it may be moved away."""
    handler = logging.handlers.WatchedFileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(_ServerLogFormatter())
    root = logging.getLogger(_SERVER_LOG)
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


def server_log(module: str) -> logging.Logger:
    """The logger of a module of the product's server log, for example `NAIMSRV`; its lines go to standard error too."""
    return logging.getLogger(f"{_SERVER_LOG}.{module}")
