"""An agent's state as a member of a swarm: the names and values of an agent's state directory, kept in the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
from nacl.signing import SigningKey

from miniepo.agent.folder import Folder
from miniepo.agent.spool import Spool
from miniepo.agent.state import Registration, StateDirectory, Value
from miniepo.clock import Entropy
from miniepo.errors import ConfigError
from miniepo.protocol import sitelist
from miniepo.protocol.agent_session import encoded
from miniepo.protocol.messages import Event
from miniepo.protocol.sitelist import SiteList
from miniepo.swarm.ledger import Ledger

_KEY = "agent.key"
_SITELIST = "SiteList.xml"
_ALIKE = frozenset({"policies.json", "tasks.json", "sitelist-version.json", _SITELIST})
"""What most agents of a swarm have word for word the same: kept in memory once for all of them."""

parse_sitelist = lru_cache(maxsize=64)(sitelist.parse)


class Alike:
    """Equal values, each held once."""

    def __init__(self) -> None:
        self._held: dict[bytes, bytes] = {}

    def hold(self, name: str, body: bytes) -> bytes:
        """This value, or the equal one that is held already."""
        return self._held.setdefault(body, body) if name in _ALIKE else body


class MemberState(StateDirectory):
    """One agent's state; `path` is a directory of its own for what parts of the agent keep in files."""

    def __init__(
        self, name: str, path: Path, first_sitelist: Path, ledger: Ledger, alike: Alike, entropy: Entropy
    ) -> None:
        self._name: Final = name
        self._ledger = ledger
        self._alike = alike
        self._values = {each: alike.hold(each, body) for each, body in ledger.values(name).items()}
        super().__init__(path, first_sitelist, entropy)

    def _load_or_make_key(self) -> SigningKey:
        stored = self._values.get(_KEY)
        return SigningKey(stored) if stored is not None else self._make_key()

    def _make_key(self) -> SigningKey:
        key = SigningKey.generate()
        self._keep(_KEY, bytes(key))
        return key

    def register(self, guid: str, enrolled: bool) -> Registration:
        self.registration = Registration(guid, enrolled)
        self._write("guid.json", self.registration)
        return self.registration

    def sitelist(self) -> SiteList:
        received = self._values.get(_SITELIST)
        try:
            return parse_sitelist(received if received is not None else self._first_sitelist.read_bytes())
        except OSError as error:
            raise ConfigError(f"{self._first_sitelist}: {error.strerror}") from error

    def store_sitelist(self, xml: str, version: str) -> SiteList:
        body = sitelist.encoded(xml)
        parsed = parse_sitelist(body)
        self._keep(_SITELIST, body)
        self._write("sitelist-version.json", version)
        return parsed

    def folder(self, name: str) -> Folder:
        return MemberFolder(self._name, f"{name}/", self._values, self._ledger)

    def write_public(self, name: str, value: Any) -> Path:
        """Nothing: what others on the node may read of a swarm is the status of all of it."""
        return self.path / name

    def _write(self, name: str, value: Any) -> None:
        self._keep(name, msgspec.json.encode(value))

    def _keep(self, name: str, body: bytes) -> None:
        if self._values.get(name) != body:
            self._values[name] = self._alike.hold(name, body)
            self._ledger.put(self._name, name, body)

    def _read(self, name: str, kind: Any, absent: Value) -> Value:
        body = self._values.get(name)
        try:
            return absent if body is None else msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError as error:
            raise ConfigError(f"{self._name}: {name}: {error}") from error


class MemberFolder:
    """Values of one agent below a name, each in the ledger's file at once: the agent tells others what it has."""

    def __init__(self, member: str, below: str, values: dict[str, bytes], ledger: Ledger) -> None:
        self._member = member
        self._below = below
        self._values = values
        self._ledger = ledger

    def names(self) -> list[str]:
        return sorted(name[len(self._below) :] for name in self._values if name.startswith(self._below))

    def read(self, name: str) -> bytes:
        try:
            return self._values[self._below + name]
        except KeyError as error:
            raise FileNotFoundError(name) from error

    def put(self, name: str, body: bytes) -> None:
        self._ledger.put(self._member, self._below + name, body)
        self._ledger.commit()
        self._values[self._below + name] = body

    def rename(self, name: str, new: str) -> None:
        body = self.read(name)
        self._ledger.put(self._member, self._below + new, body)
        self._values[self._below + new] = body
        self.remove(name)

    def remove(self, name: str) -> None:
        if self._below + name in self._values:
            self._ledger.remove(self._member, self._below + name)
            self._ledger.commit()
            del self._values[self._below + name]


class MemberSpool(Spool):
    """One agent's undelivered events."""

    def __init__(self, name: str, ledger: Ledger) -> None:
        self._name = name
        self._ledger = ledger
        self._events = ledger.events(name)

    def add(self, event: Event) -> None:
        body = encoded(event)
        self._events[event.key] = body
        self._ledger.add_event(self._name, event.key, body)

    def oldest(self, count: int) -> tuple[Event, ...]:
        bodies = list(self._events.values())[:count]
        return tuple(msgspec.json.decode(body, type=Event) for body in bodies)

    def urgent(self, count: int, priority: int) -> tuple[Event, ...]:
        events = (msgspec.json.decode(body, type=Event) for body in self._events.values())
        return tuple(islice((event for event in events if event.severity <= priority), count))

    def forget(self, keys: Iterable[str]) -> None:
        gone = [key for key in keys if self._events.pop(key, None) is not None]
        self._ledger.forget_events(self._name, gone)

    def __len__(self) -> int:
        return len(self._events)
