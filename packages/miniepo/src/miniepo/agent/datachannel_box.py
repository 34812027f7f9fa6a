"""Messages of the DataChannel that the agent keeps: what its products say until the server has it, what came until it
is handled, and the ids of what was handled."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import msgspec

from miniepo.agent.folder import Folder
from miniepo.log import logger
from miniepo.protocol.datachannel import ChannelMessage

REMEMBER_SECONDS = 3600.0
"""How long beyond its expiry an id is remembered: clocks differ, and a handler offers nothing that has expired."""
_OPEN, _BEGUN = ".json", ".begun"
_NAME = re.compile(r"[0-9]+-[0-9a-f]+\.(?:json|begun)")

_log = logger("agent.datachannel")


class Box:
    """A folder of messages, oldest first; `begin` marks one that somebody works on."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._last = max((int(name.partition("-")[0]) for name in self._names("")), default=0)

    def add(self, message: ChannelMessage) -> None:
        """Keep a message; it is kept when this returns. One that is there already stays as it is."""
        if not self._found([message.id]):
            self._last += 1
            self._folder.put(f"{self._last:012d}-{_hash(message.id)}{_OPEN}", msgspec.json.encode(message))

    def oldest(self, count: int = 1000) -> tuple[ChannelMessage, ...]:
        """Messages that nobody works on; a damaged one is set aside."""
        return self._read(self._names(_OPEN)[:count])

    def begin(self, id: str) -> None:
        """Mark a message as being worked on."""
        for name in self._found([id]):
            self._folder.rename(name, name.partition(".")[0] + _BEGUN)

    def begun(self) -> tuple[ChannelMessage, ...]:
        """What somebody began to work on and did not end: the agent was stopped meanwhile."""
        return self._read(self._names(_BEGUN))

    def forget(self, ids: Iterable[str]) -> None:
        """Delete messages."""
        for name in self._found(ids):
            self._folder.remove(name)

    def __len__(self) -> int:
        return len(self._names(_OPEN))

    def _names(self, ending: str) -> list[str]:
        return [name for name in self._folder.names() if name.endswith(ending) and _NAME.fullmatch(name)]

    def _found(self, ids: Iterable[str]) -> list[str]:
        wanted = {_hash(id) for id in ids}
        return [name for name in self._names("") if name.partition("-")[2].partition(".")[0] in wanted]

    def _read(self, names: Iterable[str]) -> tuple[ChannelMessage, ...]:
        return tuple(message for name in names if (message := self._decoded(name)) is not None)

    def _decoded(self, name: str) -> ChannelMessage | None:
        try:
            return msgspec.json.decode(self._folder.read(name), type=ChannelMessage)
        except msgspec.DecodeError as error:
            _log.error("%s is damaged and set aside: %s", name, error)
            self._folder.rename(name, name.partition(".")[0] + ".damaged")
            return None


class SeenIds:
    """Ids of items that came, each until it can come no more."""

    def __init__(self, folder: Folder, name: str) -> None:
        self._folder = folder
        self._name = name
        try:
            self._until: dict[str, float] = msgspec.json.decode(folder.read(name), type=dict[str, float])
        except FileNotFoundError:
            self._until = {}
        except msgspec.DecodeError as error:
            _log.error("%s is damaged and begun anew: %s", name, error)
            self._until = {}

    def __contains__(self, id: object) -> bool:
        return id in self._until

    def add(self, items: Iterable[ChannelMessage], now: float) -> None:
        """Remember the ids of these items; kept when this returns."""
        before = self._until
        self._until = {id: until for id, until in before.items() if until > now}
        self._until |= {item.id: item.expires + REMEMBER_SECONDS for item in items}
        if self._until != before:
            self._folder.put(self._name, msgspec.json.encode(self._until))


def _hash(id: str) -> str:
    return hashlib.sha256(id.encode()).hexdigest()[:32]
