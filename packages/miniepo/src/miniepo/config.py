"""What each component is told by its JSON file, decoded strictly: an unknown or missing key is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from miniepo.errors import ConfigError


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of a configuration file; keys that it does not name are refused."""


class Database(_Section, frozen=True, kw_only=True):
    """Where PostgreSQL listens; `host` may be the directory of a UNIX socket."""

    host: str
    port: int = 5432
    name: str = "epo"
    user: str = "epo"
    password_file: str | None = None


class Tls(_Section, frozen=True, kw_only=True):
    """PEM files: the node's certificate and key, and the lab's CA."""

    certificate: str
    key: str
    ca: str


class Admin(_Section, frozen=True, kw_only=True):
    """The first console user, created when absent."""

    user: str
    password_file: str


class SourceSite(_Section, frozen=True, kw_only=True):
    """A site that the master repository pulls from; `public_key` is the base64 file of the site's signing key."""

    name: str
    url: str
    enabled: bool = True
    public_key: str | None = None


class ServerTask(_Section, frozen=True, kw_only=True):
    """A scheduled server task; `every_seconds` of 0 runs it only on request.

    `pull` brings catalogs, scripts and increments, `pull-full` the full sets too, `replicate` mirrors to SuperAgents.
    """

    name: str
    type: Literal["pull", "pull-full", "replicate"]
    every_seconds: float = 0
    first_after_seconds: float = 0
    incremental: bool = True
    enabled: bool = True


class TimeCompression(_Section, frozen=True, kw_only=True):
    """How much faster than in the field the lab's clockwork runs."""

    asci_default_seconds: float = 3600


class ServerConfig(_Section, frozen=True, kw_only=True):
    """`server.json`: the console, the Web API, the master repository and the server tasks."""

    name: str
    fqdn: str
    listen: tuple[str, ...] = ("0.0.0.0", "::")
    console_port: int = 8443
    database: Database
    tls: Tls
    admin: Admin
    repository: str = "/var/lib/miniepo/repository"
    source_sites: tuple[SourceSite, ...] = ()
    signing_key: str
    time_compression: TimeCompression = TimeCompression()
    server_tasks: tuple[ServerTask, ...] = ()


class Master(_Section, frozen=True, kw_only=True):
    """Where a remote handler fetches content that it has not got."""

    url: str | None = None


class HandlerConfig(_Section, frozen=True, kw_only=True):
    """`handler.json`: an Agent Handler, built in (`master.url` null) or remote."""

    name: str
    fqdn: str
    listen: tuple[str, ...] = ("0.0.0.0", "::")
    http_port: int = 80
    https_port: int = 443
    database: Database
    tls: Tls
    master: Master = Master()
    repository: str = "/var/lib/miniepo/repository"
    signing_key: str
    enrolment_key_file: str
    work_poll_seconds: float = 1
    published_addresses: tuple[str, ...] = ()


class AgentConfig(_Section, frozen=True, kw_only=True):
    """`agent.json`: initial values; policy overrides the intervals and ports."""

    computer_name: str
    fqdn: str
    version: str = "4.8.0"
    state_dir: str = "/var/lib/miniepo/agent"
    sitelist: str = "/etc/miniepo/SiteList.xml"
    ca: str = "/etc/miniepo/ca.pem"
    server_public_key: str = "/etc/miniepo/keys/assc.pub"
    enrolment_key_file: str = "/etc/miniepo/keys/enrolment.key"
    first_call_within_seconds: float = 6
    asci_seconds: float = 3600
    wakeup_port: int = 8081
    repository: str = "/var/lib/miniepo/repository"
    relay_control: str = "/etc/sv/cmamesh"
    platform: str = "Linux"
    listen: tuple[str, ...] = ("0.0.0.0", "::")


class RelayConfig(_Section, frozen=True, kw_only=True):
    """`relay.json`: written by the agent when policy turns relay on."""

    port: int = 8083
    discovery_ports: tuple[int, ...] = (8082, 8083)
    sitelist: str
    computer_name: str
    guid: str
    version: str = "4.8.0"
    listen: tuple[str, ...] = ("0.0.0.0", "::")


class UpdatesConfig(_Section, frozen=True, kw_only=True):
    """`updates.json`: the vendor's update server."""

    listen: tuple[str, ...] = ("0.0.0.0", "::")
    port: int = 80
    root: str = "/var/lib/miniepo/content"
    seed: str = "epolab"
    increment_every_seconds: float = 600
    full_set_bytes: int = 70_000_000
    increment_bytes: int = 200_000
    signing_key: str | None = None


Config = TypeVar("Config", bound=_Section)


def load(path: str | Path, kind: type[Config]) -> Config:
    """Read a component's configuration file, or say which file and which key is wrong."""
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=kind)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; pass the component's file with --config") from error
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: {error}") from error


def read_secret(path: str | Path) -> str:
    """The content of a secret's file without the line end; the value itself never enters a log line."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
