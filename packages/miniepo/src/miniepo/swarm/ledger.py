"""What a swarm's agents keep between two lives: one small database file instead of a directory for each."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS value (
    member TEXT NOT NULL, name TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (member, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS event (
    number INTEGER PRIMARY KEY AUTOINCREMENT, member TEXT NOT NULL, key TEXT NOT NULL, body BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS event_key ON event (member, key);
"""


class Ledger:
    """Values by agent and name, and undelivered events in their order.

    A change is in the file once `commit` has run; `changed` is called at the first change after that. A process that
    is killed loses no committed change (write-ahead log). What cannot be written raises OSError.
    """

    def __init__(self, path: Path, changed: Callable[[], None] = lambda: None) -> None:
        self._changed = changed
        self._file = sqlite3.connect(path, isolation_level=None)
        path.chmod(0o600)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.executescript(_SCHEMA)

    def values(self, member: str) -> dict[str, bytes]:
        """All values of one agent."""
        return dict(self._file.execute("SELECT name, body FROM value WHERE member = ?", (member,)))

    def put(self, member: str, name: str, body: bytes) -> None:
        """Keep a value in place of the one of that name."""
        self._write("INSERT OR REPLACE INTO value VALUES (?, ?, ?)", [(member, name, body)])

    def remove(self, member: str, name: str) -> None:
        """Drop a value."""
        self._write("DELETE FROM value WHERE member = ? AND name = ?", [(member, name)])

    def events(self, member: str) -> dict[str, bytes]:
        """An agent's undelivered events by key, oldest first."""
        return dict(self._file.execute("SELECT key, body FROM event WHERE member = ? ORDER BY number", (member,)))

    def add_event(self, member: str, key: str, body: bytes) -> None:
        """Keep an event after those that are there."""
        self._write("INSERT INTO event (member, key, body) VALUES (?, ?, ?)", [(member, key, body)])

    def forget_events(self, member: str, keys: Iterable[str]) -> None:
        """Drop events."""
        self._write("DELETE FROM event WHERE member = ? AND key = ?", [(member, key) for key in keys])

    def commit(self) -> None:
        """Bring every change so far into the file."""
        if self._file.in_transaction:
            with _as_os_error():
                self._file.execute("COMMIT")

    def close(self) -> None:
        """Commit and leave the file."""
        self.commit()
        self._file.close()

    def _write(self, sql: str, rows: list[tuple[object, ...]]) -> None:
        with _as_os_error():
            if not self._file.in_transaction:
                self._file.execute("BEGIN")
                self._changed()
            self._file.executemany(sql, rows)


@contextmanager
def _as_os_error() -> Iterator[None]:
    """A file that cannot be written is the same to the agents whichever way it is written: a full disk, for example."""
    try:
        yield
    except sqlite3.Error as error:
        raise OSError(errno.EIO, f"the ledger: {error}") from error
