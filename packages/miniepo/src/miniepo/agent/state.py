"""What the agent keeps on disk between two lives: key, identity, site list, policies, tasks, relays, nonces, status.

Every file is replaced whole (written beside, then renamed), so that a kill at any moment leaves the old or the new one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from nacl.signing import SigningKey

from miniepo.agent.folder import PRIVATE, Directory, Folder, replace_file
from miniepo.clock import Entropy
from miniepo.errors import ConfigError
from miniepo.log import logger
from miniepo.protocol import signing, sitelist
from miniepo.protocol.discovery import Relay
from miniepo.protocol.messages import PolicySet, TaskSet, TaskStatus
from miniepo.protocol.sitelist import SiteList

_PUBLIC = 0o644
_log = logger("agent.state")

Value = TypeVar("Value")


class Registration(msgspec.Struct, frozen=True):
    """The agent's GUID, whether a server has enrolled it, and whether what belonged to the GUID before is yet to go."""

    guid: str
    enrolled: bool = False
    unfinished: bool = False


class Routing(msgspec.Struct, frozen=True):
    """How the agent got through last: cached relays (the current one in front), and handlers that did not answer."""

    relays: tuple[Relay, ...] = ()
    unreachable: tuple[str, ...] = ()
    last_handler: str = ""


def public_json(value: Any) -> bytes:
    """How `write_public` writes a value."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


class StateDirectory:
    """The agent's state directory; made at the first start."""

    def __init__(self, path: Path, first_sitelist: Path, entropy: Entropy) -> None:
        self.path = path
        self._first_sitelist = first_sitelist
        self._entropy = entropy
        self._tasks: TaskSet | None = None
        try:
            path.mkdir(mode=0o711, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error
        self.key = self._load_or_make_key()
        self.registration = self._load_or_make_registration()
        if self.registration.unfinished:
            self._finish_identity()

    def _load_or_make_key(self) -> SigningKey:
        path = self.path / "agent.key"
        return signing.load_signing_key(path) if path.exists() else self._make_key()

    def _make_key(self) -> SigningKey:
        key = SigningKey.generate()
        self._put("agent.key", signing.seed_text(key).encode())
        return key

    def _load_or_make_registration(self) -> Registration:
        stored = self._read("guid.json", Registration, None)
        return stored if stored is not None else self.register(self._entropy.guid(), enrolled=False)

    def register(self, guid: str, enrolled: bool) -> Registration:
        """Take this GUID as the agent's identity."""
        self.registration = Registration(guid, enrolled)
        self._put("guid", guid.encode() + b"\n", _PUBLIC)
        self._write("guid.json", self.registration)
        return self.registration

    def forget_identity(self) -> None:
        """Make a new GUID and a new key pair, unknown to any server; what was reported under the old one is void.

        The GUID comes first: from then on a start after a kill finishes the rest.
        """
        self.registration = Registration(self._entropy.guid(), unfinished=True)
        self._write("guid.json", self.registration)
        self._finish_identity()

    def _finish_identity(self) -> None:
        self.key = self._make_key()
        self.sent_properties = {}
        self._write("sequence.json", 0)
        self.register(self.registration.guid, enrolled=False)

    def next_sequence(self) -> int:
        """The number of the communication that begins; it has never been used before under this GUID."""
        number = self._read("sequence.json", int, 0) + 1
        self._write("sequence.json", number)
        return number

    @property
    def sitelist_path(self) -> Path:
        """The site list in force: the server's latest, or the one the agent was installed with."""
        received = self.path / "SiteList.xml"
        return received if received.exists() else self._first_sitelist

    def sitelist(self) -> SiteList:
        """The site list in force; raises ConfigError where there is none yet, SiteListError for a damaged one."""
        path = self.sitelist_path
        try:
            return sitelist.parse(path.read_bytes())
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error

    def store_sitelist(self, xml: str, version: str) -> SiteList:
        """Replace the site list, once it is known to be readable."""
        body = sitelist.encoded(xml)
        parsed = sitelist.parse(body)
        self._put("SiteList.xml", body, _PUBLIC)
        self._write("sitelist-version.json", version)
        return parsed

    @property
    def sitelist_version(self) -> str:
        """The server's version of the site list in force, "" for the one the agent was installed with."""
        return self._read("sitelist-version.json", str, "")

    @property
    def policies(self) -> PolicySet:
        return self._read("policies.json", PolicySet, PolicySet(version="", policies=()))

    @policies.setter
    def policies(self, value: PolicySet) -> None:
        self._write("policies.json", value)

    @property
    def tasks(self) -> TaskSet:
        if self._tasks is None:
            self._tasks = self._read("tasks.json", TaskSet, TaskSet(version="", tasks=()))
        return self._tasks

    @tasks.setter
    def tasks(self, value: TaskSet) -> None:
        self._write("tasks.json", value)
        self._tasks = value

    @property
    def routing(self) -> Routing:
        """As stored, without relays that cannot be tried; those are forgotten with a line in the log."""
        stored = self._read("relays.json", Routing, Routing())
        kept = tuple(relay for relay in stored.relays if not relay.fault)
        if kept == stored.relays:
            return stored
        for relay in stored.relays:
            if relay.fault:
                _log.warning("a relay is forgotten: %s", relay.fault)
        self.routing = Routing(kept, stored.unreachable, stored.last_handler)
        return self.routing

    @routing.setter
    def routing(self, value: Routing) -> None:
        self._write("relays.json", value)

    @property
    def relay_started(self) -> str:
        """In which life of the node the relay service was started by policy; "" = not since relay was turned on."""
        return self._read("relay-started.json", str, "")

    @relay_started.setter
    def relay_started(self, value: str) -> None:
        self._write("relay-started.json", value)

    @property
    def sent_properties(self) -> dict[str, str]:
        return self._read("properties.json", dict[str, str], {})

    @sent_properties.setter
    def sent_properties(self, value: dict[str, str]) -> None:
        self._write("properties.json", value)

    @property
    def custom_properties(self) -> dict[str, str]:
        """What people on the node have set: UserProperty1 to 4."""
        return self._read("custom-properties.json", dict[str, str], {})

    @custom_properties.setter
    def custom_properties(self, value: dict[str, str]) -> None:
        self._write("custom-properties.json", value)

    @property
    def nonces(self) -> dict[str, float]:
        """Nonces of accepted wake-ups and repository changes, with the moment each may be forgotten."""
        return self._read("nonces.json", dict[str, float], {})

    @nonces.setter
    def nonces(self, value: dict[str, float]) -> None:
        self._write("nonces.json", value)

    @property
    def statuses(self) -> tuple[TaskStatus, ...]:
        """How tasks went, as far as no handler has it yet."""
        return self._read("task-status.json", tuple[TaskStatus, ...], ())

    @statuses.setter
    def statuses(self, value: tuple[TaskStatus, ...]) -> None:
        self._write("task-status.json", value)

    @property
    def installed(self) -> dict[str, str]:
        """Installed products and their versions."""
        return self._read("installed.json", dict[str, str], {})

    @installed.setter
    def installed(self, value: dict[str, str]) -> None:
        self._write("installed.json", value)

    def folder(self, name: str) -> Folder:
        """Where a part of the agent keeps values of its own."""
        return Directory(self.path / name)

    def write_public(self, name: str, value: Any) -> Path:
        """A JSON file that others on the node may read."""
        return self._put(name, public_json(value), _PUBLIC)

    def _write(self, name: str, value: Any) -> None:
        self._put(name, msgspec.json.encode(value))

    def _put(self, name: str, data: bytes, mode: int = PRIVATE) -> Path:
        """Replace a file of the directory."""
        path = self.path / name
        replace_file(path, data, mode)
        return path

    def _read(self, name: str, kind: Any, absent: Value) -> Value:
        path = self.path / name
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)  # type: ignore[no-any-return]
        except FileNotFoundError:
            return absent
        except msgspec.DecodeError as error:
            raise ConfigError(f"{path}: {error}; remove the file to begin anew") from error
