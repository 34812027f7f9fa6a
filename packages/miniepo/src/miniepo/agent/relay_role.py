"""Turns the node into a relay by policy: writes relay.json and switches the service `cmamesh`; never the firewall.

The exceptions for the process and its ports are the administrator's (domain §1.2, source S1).
"""

from __future__ import annotations

import os
from pathlib import Path

from miniepo.agent.settings import RelaySettings, Settings
from miniepo.agent.state import StateDirectory, public_json
from miniepo.config import AgentConfig, RelayConfig
from miniepo.log import logger
from miniepo.wire.http_request import Request
from miniepo.wire.http_response import Response

UP, DOWN, RESTART = b"u", b"d", b"t"

_log = logger("agent.relay")


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

    def __init__(self, config: AgentConfig, state: StateDirectory, switch: ServiceSwitch) -> None:
        self._config = config
        self._state = state
        self._switch = switch
        self._in_force = RelaySettings()

    @property
    def active(self) -> bool:
        return self._in_force.enabled

    def enforce(self, settings: Settings) -> tuple[str, ...]:
        if not settings.relay.enabled:
            return self._off()
        changed = self._write_config(settings.relay)
        problem = self._switch.send(UP) or (self._switch.send(RESTART) if changed and self.active else None)
        self._in_force = RelaySettings() if problem else settings.relay
        return (problem,) if problem else ()

    def _off(self) -> tuple[str, ...]:
        path = self._state.path / "relay.json"
        if not self.active and not path.exists():
            return ()
        problem = self._switch.send(DOWN) if self._switch.exists else None
        if problem:
            return (problem,)
        path.unlink(missing_ok=True)
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
        )
        path = self._state.path / "relay.json"
        if path.exists() and path.read_bytes() == public_json(config):
            return False
        self._state.write_public("relay.json", config)
        _log.info("relay is on at port %d", relay.port)
        return True

    def properties(self) -> dict[str, str]:
        if not self.active:
            return {"Relay.Enabled": "0"}
        return {"Relay.Enabled": "1", "Relay.Port": str(self._in_force.port)}

    async def handle(self, request: Request) -> Response | None:
        return None
