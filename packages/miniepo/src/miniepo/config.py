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


class ServerChannel(_Section, frozen=True, kw_only=True):
    """The server's end of the DataChannel.

    `port` takes what handlers pass on, from those alone whose certificate `tls.ca` signed; null = nothing is taken.
    `redirect_file` holds the version of the DCRedirect extension, which handlers must have too.
    """

    port: int | None = None
    redirect_file: str = "/etc/miniepo/extensions/server/DCRedirect"
    keep_finished_seconds: float = 86400
    keep_received_seconds: float = 7 * 86400


class ServerConfig(_Section, frozen=True, kw_only=True):
    """`server.json`: the console, the Web API, the master repository and the server tasks.

    `epo_version` of 4.5 has it tell remote handlers of the DataChannel's work, as that version did; null = the newest.
    `state_dir` holds `conf/epo/epo.properties`.
    """

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
    state_dir: str = "/var/lib/miniepo/server"
    epo_version: str | None = None
    datachannel: ServerChannel = ServerChannel()
    server_log: str | None = None


class Master(_Section, frozen=True, kw_only=True):
    """Where a remote handler fetches content that it has not got."""

    url: str | None = None


class HandlerChannel(_Section, frozen=True, kw_only=True):
    """Where a handler passes on what agents say: the server's authenticated port, with a certificate of its own.

    The certificate's common name is `DataChannelAH_<handler>`; it and `redirect_file`, the version of the handler's
    DCRedirect extension, are read again whenever they change.
    """

    url: str
    certificate: str
    key: str
    redirect_file: str = "/etc/miniepo/extensions/handler/DCRedirect"


class Push(_Section, frozen=True, kw_only=True):
    """What a handler installs agents with: TLS files for them, the release, and remembered credentials."""

    certificate: str
    key: str
    release: str = "/opt/miniepo/lib"
    user: str
    password_file: str


class HandlerConfig(_Section, frozen=True, kw_only=True):
    """`handler.json`: an Agent Handler, built in (`master.url` null) or remote.

    `max_connections` counts both ports together (domain §1.1: about 245). With `verify_clients` the TLS port serves
    only who shows a certificate of the lab's CA; without `packages_on_http` the plain port serves signed content alone.
    """

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
    max_connections: int = 245
    verify_clients: bool = True
    packages_on_http: bool = False
    epo_version: str | None = None
    datachannel: HandlerChannel | None = None
    push: Push | None = None
    server_log: str | None = None


class AgentConfig(_Section, frozen=True, kw_only=True):
    """`agent.json`: initial values; policy overrides the intervals and ports.

    With `draw_handlers_once` handlers of equal rank are drawn once for all, else at each communication.

    `asci_seconds` says how fast the lab is: without a first call window or an enforcement interval of its own the agent
    takes those of its version, shortened as its ASCI is against the field's hour (`protocol.version`).

    One connection for a whole call is known of 5.x; with `connection_per_package` an older agent takes a new one for
    each package [uncertain].

    With `retry_timeouts` an address that stayed silent is waited for again in each of the 18 attempts at a handler,
    until the next ASCI is near.

    `certificate` and `key` are what the agent shows to handlers; "" = it has none.
    """

    computer_name: str
    fqdn: str
    version: str = "4.8.0"
    state_dir: str = "/var/lib/miniepo/agent"
    sitelist: str = "/etc/miniepo/SiteList.xml"
    ca: str = "/etc/miniepo/ca.pem"
    certificate: str = ""
    key: str = ""
    draw_handlers_once: bool = False
    server_public_key: str = "/etc/miniepo/keys/assc.pub"
    enrolment_key_file: str = "/etc/miniepo/keys/enrolment.key"
    first_call_within_seconds: float | None = None
    enforcement_seconds: float | None = None
    connection_per_package: bool = False
    retry_timeouts: bool = False
    asci_seconds: float = 3600
    wakeup_port: int = 8081
    repository: str = "/var/lib/miniepo/repository"
    relay_control: str = "/etc/sv/cmamesh"
    platform: str = "Linux"
    listen: tuple[str, ...] = ("0.0.0.0", "::")


class SwarmConfig(_Section, frozen=True, kw_only=True):
    """`swarm.json`: `count` agents in one process, each as the agent of the file `agent` but for its name.

    `parallel` agents communicate at once.
    """

    agent: str = "/etc/miniepo/agent.json"
    count: int
    parallel: int = 64


class RelayConfig(_Section, frozen=True, kw_only=True):
    """`relay.json`: written by the agent when policy turns relay on."""

    port: int = 8083
    discovery_ports: tuple[int, ...] = (8082, 8083)
    sitelist: str
    computer_name: str
    guid: str
    version: str = "4.8.0"
    listen: tuple[str, ...] = ("0.0.0.0", "::")
    answer_within_seconds: float = 0.1
    shared: bool = False


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


def read_version(path: str | Path) -> str:
    """The version that a file of one line holds, "" if there is no such file."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def read_secret(path: str | Path) -> str:
    """The content of a secret's file without the line end; the value itself never enters a log line."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
