"""Turns the node into a relay by policy: writes relay.json and switches the service `cmamesh`; never the firewall.

The exceptions for the process and its ports are the administrator's (domain §1.2, source S1). So is the service once it
was started: whoever stops it has no relay until he starts it (S1: stop and start the service to control relay). The
agent gives orders only when policy turns relay on, off or changes it, and at the first enforcement after the node
itself was started. An agent that cannot be a relay (before 4.8, or on AIX) says so to the server and stays as it is.
"""

from __future__ import annotations

import os
from asyncio import StreamWriter
from collections.abc import Callable
from pathlib import Path

from miniepo.agent.roles import Refusal
from miniepo.agent.settings import RelaySettings, Settings
from miniepo.agent.state import StateDirectory, public_json
from miniepo.config import AgentConfig, RelayConfig
from miniepo.log import logger
from miniepo.protocol.version import Behaviour
from miniepo.wire.handover import hand_over
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response

UP, DOWN, RESTART, NOTHING = b"u", b"d", b"t", b""

_log = logger("agent.relay")


def node_life(proc: Path = Path("/proc")) -> str:
    """What tells one life of the node (a container or a machine) from the next: its boot, and when its init began."""
    boot = (proc / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    began = (proc / "1/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[19]
    return f"{boot} {began}"


class ServiceSwitch:
    """A service below runit, switched through its control pipe by one letter."""

    def __init__(self, service: Path) -> None:
        self._supervise = service / "supervise"

    def send(self, letter: bytes) -> str | None:
        """Give the order; the reason if the supervisor cannot take it."""
        control = self._supervise / "control"
        try:
            pipe = os.open(control, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            return f"service {self._supervise.parent.name}: {control}: {error.strerror}"
        try:
            os.write(pipe, letter)
        finally:
            os.close(pipe)
        return None

    @property
    def exists(self) -> bool:
        """Whether the service is installed here."""
        return self._supervise.parent.exists()


class RelayRole:
    """The relay as the agent sees it: a service of its own that the agent switches."""

    name = "relay"

    def __init__(
        self,
        config: AgentConfig,
        state: StateDirectory,
        switch: ServiceSwitch,
        life: Callable[[], str] = node_life,
    ) -> None:
        self._config = config
        self._state = state
        self._switch = switch
        self._life = life
        self._in_force = RelaySettings()

    @property
    def active(self) -> bool:
        return self._in_force.enabled

    def enforce(self, settings: Settings) -> tuple[str, ...]:
        if not settings.relay.enabled:
            return self._off()
        if not Behaviour.of(self._config.version).can_relay(self._config.platform):
            return (*self._off(), self._refusal())
        changed = self._write_config(settings.relay)
        problem = self._start(changed)
        self._in_force = RelaySettings() if problem else settings.relay
        return (problem,) if problem else ()

    def _refusal(self) -> Refusal:
        config = self._config
        return Refusal(
            f"policy of category relay: an agent of version {config.version} on {config.platform} cannot be a relay;"
            " that takes version 4.8 or later, and not AIX"
        )

    def _start(self, changed: bool) -> str | None:
        """Start the service when relay was turned on or changed, or once in a life of the node; else leave it."""
        life = self._life()
        if self._state.relay_started == life:
            return self._switch.send(RESTART if changed else NOTHING)
        problem = self._switch.send(UP) or (self._switch.send(RESTART) if changed and self.active else None)
        if not problem:
            self._state.relay_started = life
        return problem

    def _off(self) -> tuple[str, ...]:
        path = self._state.path / "relay.json"
        if not self.active and not path.exists():
            return ()
        problem = self._switch.send(DOWN) if self._switch.exists else None
        if problem:
            return (problem,)
        path.unlink(missing_ok=True)
        self._state.relay_started = ""
        self._in_force = RelaySettings()
        _log.info("relay is off")
        return ()

    def _write_config(self, relay: RelaySettings) -> bool:
        """Write relay.json; True if it changed."""
        config = RelayConfig(
            port=relay.port,
            discovery_ports=relay.discovery_ports,
            sitelist=str(self._state.sitelist_path),
            computer_name=self._config.computer_name,
            guid=self._state.registration.guid,
            version=self._config.version,
            listen=self._config.listen,
            answer_within_seconds=relay.answer_within_seconds,
            shared=relay.shared,
        )
        path = self._state.path / "relay.json"
        if path.exists() and path.read_bytes() == public_json(config):
            return False
        self._state.write_public("relay.json", config)
        _log.info("relay is on at port %d", relay.port)
        return True

    def divert(self, writer: StreamWriter, first: bytes) -> bool:
        """Hand a connection on the wake-up port over to the relay process, if it is one for it: a request in JSON."""
        return self.active and self._in_force.shared and first.startswith(b"{") and hand_over(writer, first)

    def properties(self) -> dict[str, str]:
        if not self.active:
            return {"Relay.Enabled": "0"}
        return {"Relay.Enabled": "1", "Relay.Port": str(self._in_force.port)}

    async def handle(self, request: Request) -> Response | None:
        return None
