"""Puts the agent together and keeps it running: one process, one loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nacl.signing import VerifyKey

from miniepo.agent import properties, status
from miniepo.agent.alarm import Alarm
from miniepo.agent.caller import Caller
from miniepo.agent.communication import CallIn, Communication, Credentials
from miniepo.agent.connector import Connector, connector_of
from miniepo.agent.ctl import SOCKET
from miniepo.agent.datachannel import DataChannel
from miniepo.agent.datachannel_door import DataChannelDoor
from miniepo.agent.datachannel_echo import Echo
from miniepo.agent.departure import live
from miniepo.agent.ear import Ear
from miniepo.agent.enforcement import Enforcer
from miniepo.agent.front_door import FrontDoor
from miniepo.agent.handler_addresses import HandlerAddresses
from miniepo.agent.listener import Listener
from miniepo.agent.log_page import LogPage
from miniepo.agent.nonces import NonceMemory
from miniepo.agent.orders import Orders
from miniepo.agent.relay_finder import RelayFinder
from miniepo.agent.relay_role import RelayRole, ServiceSwitch
from miniepo.agent.roles import Role
from miniepo.agent.run_now import RunNow
from miniepo.agent.settings import first_call_seconds
from miniepo.agent.spool import Spool
from miniepo.agent.state import StateDirectory
from miniepo.agent.tasks import TaskRunner
from miniepo.agent.update import Updater
from miniepo.clock import Clock, Entropy, SystemClock, SystemEntropy
from miniepo.config import AgentConfig, read_secret
from miniepo.log import logger
from miniepo.protocol import signing
from miniepo.protocol.agent_session import Identity
from miniepo.protocol.call_schedule import EnforcementSchedule
from miniepo.protocol.datachannel import AGENT_PRODUCT
from miniepo.wire.control import ControlSocket
from miniepo.wire.tls import TlsContext, client_context

COMM_NAME = "cmdagent"
_FOLLOW_SECONDS = 1.0

_log = logger("agent.app")


@dataclass(frozen=True, slots=True)
class Basis:
    """What every part of an agent stands on; further roles are made from it."""

    config: AgentConfig
    state: StateDirectory
    nonces: NonceMemory
    server_key: VerifyKey
    clock: Clock
    entropy: Entropy
    alarm: Alarm
    handler_addresses: HandlerAddresses


MakeRoles = Callable[[Basis], Sequence[Role]]


def lay_basis(config: AgentConfig) -> Basis:
    """Read or make what the agent needs to exist; raises ConfigError."""
    entropy = SystemEntropy()
    state = StateDirectory(Path(config.state_dir), Path(config.sitelist), entropy)
    server_key = signing.load_verify_key(config.server_public_key)
    clock = SystemClock()
    addresses = HandlerAddresses(state, clock, config.version)
    return Basis(config, state, NonceMemory(state), server_key, clock, entropy, Alarm(), addresses)


class Agent:
    """One agent."""

    def __init__(self, basis: Basis, make_roles: MakeRoles) -> None:
        config, state, clock, entropy = basis.config, basis.state, basis.clock, basis.entropy
        self._basis = basis
        self._page = LogPage()
        relay = RelayRole(config, state, ServiceSwitch(Path(config.relay_control)))
        roles = (relay, *make_roles(basis))
        tls = client_context(config.ca, config.certificate, config.key)
        credentials = Credentials(read_secret(config.enrolment_key_file), basis.server_key)
        self._finder = RelayFinder(config.version, entropy)
        self._spool = Spool(state.path / "events")
        self._enforcer = Enforcer(config, state, roles)
        self._updater = Updater(state, tls, basis.server_key)
        self._connector = self._new_connector(tls)
        communication = Communication(
            state,
            self._spool,
            self._connector,
            self._enforcer,
            credentials,
            self._identity,
            clock,
            entropy,
            draw_once=config.draw_handlers_once,
        )
        self._caller = Caller(communication, self._enforcer, clock, entropy, self._called_in)
        self._channel, channel_door = _open_channel(basis, self._new_connector(tls))
        self._runner = TaskRunner(state, self._enforcer, self._updater, clock, entropy, self._write_status)
        self._run_now = RunNow(self._channel, self._runner, state.folder(""), clock, entropy)
        self._door = FrontDoor(
            config,
            state,
            self._enforcer,
            (*roles, channel_door),
            self._page,
            basis.server_key,
            basis.nonces,
            basis.handler_addresses.read,
            basis.alarm.ring,
            clock,
        )
        self._listener = Listener(self._door.handle, config.listen, relay.divert)
        basis.alarm.connect(self._caller.woken)
        self._ear = Ear(state, basis.server_key, basis.nonces, clock, basis.alarm, self._heeds_broadcasts)
        self._credentials = credentials
        self._last: CallIn | None = None

    def _new_connector(self, tls: TlsContext) -> Connector:
        basis = self._basis
        return connector_of(basis.config, basis.state, tls, self._finder, lambda: self._enforcer.settings)

    async def run(self) -> None:
        """Run until cancelled."""
        logging.getLogger("agent").addHandler(self._page)
        logging.getLogger("superagent").addHandler(self._page)
        self._enforcer.enforce()
        self._write_status()
        async with contextlib.AsyncExitStack() as cleanup:
            cleanup.push_async_callback(self._listener.close)
            await self._listener.follow(self._enforcer.settings.wakeup_port)
            control = ControlSocket(self._basis.state.path / SOCKET, self._orders().answer)
            await control.start()
            cleanup.push_async_callback(control.close)
            _log.info("agent %s started", self._basis.state.registration.guid)
            async with asyncio.TaskGroup() as loops:
                loops.create_task(self._caller.loop(first_call_seconds(self._basis.config)))
                loops.create_task(self._runner.loop())
                loops.create_task(self._run_now.loop())
                loops.create_task(self._channel.run())
                loops.create_task(self._ear.run())
                loops.create_task(self._enforce_for_ever())
                loops.create_task(self._follow_policy())

    async def leave(self) -> None:
        """Say what must be said before the end."""
        if self._run_now.leave():
            await self._channel.said_all()

    async def _enforce_for_ever(self) -> None:
        schedule = EnforcementSchedule(self._basis.clock.monotonic())
        while True:
            await asyncio.sleep(_FOLLOW_SECONDS)
            now = self._basis.clock.monotonic()
            if schedule.is_due(now, self._enforcer.settings.enforcement_seconds):
                self._enforcer.enforce()
                self._write_status()

    async def _follow_policy(self) -> None:
        """Move the wake-up port after its policy; one that is taken is tried again."""
        while True:
            await asyncio.sleep(_FOLLOW_SECONDS)
            await self._listener.follow(self._enforcer.settings.wakeup_port)

    def _heeds_broadcasts(self) -> bool:
        return self._enforcer.settings.accept_broadcasts

    def _orders(self) -> Orders:
        return Orders(
            self._caller,
            self._spool,
            self._basis.state,
            self._runner,
            self._enforcer,
            self._status,
            self._finder.ask,
            self._basis.clock,
            self._basis.entropy,
        )

    def _identity(self) -> tuple[Identity, dict[str, str]]:
        config, state = self._basis.config, self._basis.state
        identity = Identity(
            guid=state.registration.guid,
            public_key=signing.public_text(state.key),
            computer_name=config.computer_name,
            fqdn=config.fqdn,
            version=config.version,
            platform=config.platform,
            enrolment_key=self._credentials.enrolment_key,
            enrolled=state.registration.enrolled,
        )
        machine = properties.read_machine(state.path)
        described = properties.computer_properties(config, machine)
        described |= properties.product_properties(state.installed) | state.custom_properties
        described["WakeupPort"] = str(self._enforcer.settings.wakeup_port)
        return identity, described | self._enforcer.role_properties()

    def _called_in(self, call_in: CallIn | None) -> None:
        """A communication ended; without a record it failed."""
        self._last = call_in or self._last
        if call_in is not None:
            self._channel.after_callin(call_in.channel_waits)
        self._write_status()

    def _status(self) -> dict[str, Any]:
        basis, tried = self._basis, self._connector.tried
        return status.describe(
            basis.config, basis.state, self._enforcer, self._last, self._updater.last, len(self._spool), tried
        )

    def _write_status(self) -> None:
        try:
            self._basis.state.write_public("status.json", self._status())
        except OSError as error:  # whoever wants to know how the agent is must not keep it from its work
            _log.error("status.json: %s", error)


def _open_channel(basis: Basis, connector: Connector) -> tuple[DataChannel, DataChannelDoor]:
    """The DataChannel with the agent's own product on it, and its part of the wake-up port."""
    config, state, clock = basis.config, basis.state, basis.clock
    channel = DataChannel(config.version, state, connector, basis.server_key, clock, basis.entropy)
    echo = Echo(channel.send, config.computer_name)
    channel.register(AGENT_PRODUCT, echo.handle, interrupted=echo.handle)
    addresses = basis.handler_addresses.read
    return channel, DataChannelDoor(state, basis.server_key, basis.nonces, addresses, channel.told, clock)


def name_process(name: str) -> None:
    """Give this process its name in `ps`, `ss` and /proc."""
    Path("/proc/self/comm").write_text(name, encoding="ascii")


def main(config: AgentConfig, make_roles: MakeRoles = lambda basis: ()) -> int:
    """Run the agent until it is told to stop."""
    name_process(COMM_NAME)
    agent = Agent(lay_basis(config), make_roles)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(live(agent.run(), agent.leave))
    return 0
