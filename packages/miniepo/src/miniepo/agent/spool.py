"""Events on disk until a server has acknowledged them: one file each, oldest first, each with a key unique for ever."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import msgspec

from miniepo.agent.folder import replace_file
from miniepo.log import logger
from miniepo.protocol.agent_session import encoded
from miniepo.protocol.messages import Event

_log = logger("agent.spool")


class Spool:
    """The directory of undelivered events; beyond `capacity` the oldest are dropped aloud."""

    def __init__(self, path: Path, capacity: int = 10_000) -> None:
        self._path = path
        self._capacity = capacity
        path.mkdir(mode=0o700, exist_ok=True)
        for unfinished in path.glob(".*.new"):
            unfinished.unlink()
        self._last = max((_number(file) for file in self._files()), default=0)

    def add(self, event: Event) -> None:
        """Keep an event; it is on disk when this returns. MessageError for one that is too big to be delivered."""
        body = encoded(event)
        self._last += 1
        replace_file(self._path / f"{self._last:012d}-{event.key}.json", body)
        self._make_room()

    def oldest(self, count: int) -> tuple[Event, ...]:
        """Up to `count` events in the order in which they happened; a damaged file is set aside, not delivered."""
        return tuple(event for file in self._files()[:count] if (event := _read(file)) is not None)

    def urgent(self, count: int, priority: int) -> tuple[Event, ...]:
        """Up to `count` events, oldest first, of this severity or graver (0 is the gravest)."""
        events = (event for file in self._files() if (event := _read(file)) is not None)
        return tuple(islice((event for event in events if event.severity <= priority), count))

    def forget(self, keys: Iterable[str]) -> None:
        """Delete acknowledged events."""
        known = set(keys)
        for file in self._files():
            if file.stem.partition("-")[2] in known:
                file.unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self._files())

    def _files(self) -> list[Path]:
        return sorted(self._path.glob("[0-9]*.json"))

    def _make_room(self) -> None:
        files = self._files() if self._last % 100 == 0 else []
        for file in files[: max(0, len(files) - self._capacity)]:
            _log.error("the spool is full: event %s is lost", file.stem)
            file.unlink(missing_ok=True)


def _number(file: Path) -> int:
    digits = file.stem.partition("-")[0]
    return int(digits) if digits.isdigit() else 0


def _read(file: Path) -> Event | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Event)
    except msgspec.DecodeError as error:
        _log.error("%s is damaged and set aside: %s", file.name, error)
        file.rename(file.with_suffix(".damaged"))
        return None
