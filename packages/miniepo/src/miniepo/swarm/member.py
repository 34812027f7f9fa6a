"""One agent of a swarm: the agent's own parts around a state in the ledger, without ports and timers of its own."""

from __future__ import annotations

import asyncio
import shutil
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nacl.signing import VerifyKey

from miniepo.agent import properties
from miniepo.agent.caller import Caller
from miniepo.agent.communication import CallIn, Communication, Credentials
from miniepo.agent.connector import Connector, connector_of
from miniepo.agent.datachannel import DataChannel
from miniepo.agent.datachannel_door import DataChannelDoor
from miniepo.agent.enforcement import Enforcer
from miniepo.agent.front_door import FrontDoor
from miniepo.agent.handler_addresses import HandlerAddresses
from miniepo.agent.log_page import LogPage
from miniepo.agent.nonces import NonceMemory
from miniepo.agent.properties import Machine
from miniepo.agent.relay_finder import RelayFinder
from miniepo.agent.run_now import RunNow
from miniepo.agent.settings import UpdateSettings
from miniepo.agent.tasks import TaskRunner
from miniepo.agent.update import Outcome, Updater
from miniepo.clock import Clock, Entropy
from miniepo.config import AgentConfig
from miniepo.protocol import signing
from miniepo.protocol.agent_session import Identity, Occasion
from miniepo.protocol.handler_choice import HandlerFull
from miniepo.protocol.sitelist import Site
from miniepo.protocol.task_settings import UpdateTask
from miniepo.swarm.state import MemberSpool, MemberState
from miniepo.wire.answer_port import AnswerPort
from miniepo.wire.tls import TlsContext

MACHINE_SECONDS = 10.0
SECONDS_NOTED = 20_000


@dataclass(slots=True)
class Shared:
    """What all agents of a swarm have in common.

    `answers` is the port that relays answer to: each agent asks a question of its own, as agents with nodes of their
    own do, so that each has its own first responder. `lines` bounds how many communicate at once, `updating` is held
    while one updates; `addresses` are what names of handlers resolved to; `took` are the seconds of the last
    communications.
    """

    path: Path
    credentials: Credentials
    tls: TlsContext
    answers: AnswerPort
    clock: Clock
    entropy: Entropy
    lines: asyncio.Semaphore
    updating: asyncio.Lock
    done: Callable[[Member, CallIn | None], None]
    page: LogPage = field(default_factory=LogPage)
    addresses: dict[str, tuple[float, tuple[str, ...]]] = field(default_factory=dict)
    took: deque[float] = field(default_factory=lambda: deque(maxlen=SECONDS_NOTED))
    _machine: tuple[float, Machine] | None = None

    @property
    def server_key(self) -> VerifyKey:
        return self.credentials.server_key

    def machine(self) -> Machine:
        """The node, read again every few seconds: all agents of a swarm run on the same one."""
        now = self.clock.monotonic()
        if self._machine is None or self._machine[0] + MACHINE_SECONDS < now:
            self._machine = (now, properties.read_machine(self.path))
        return self._machine[1]


class BoundedCommunication(Communication):
    """An agent's communications, which wait for one of the swarm's lines; how long each took is noted."""

    lines: asyncio.Semaphore
    took: deque[float]

    async def run(self, occasion: Occasion) -> CallIn:
        async with self.lines:
            began = self._clock.monotonic()
            call_in = await super().run(occasion)
            self.took.append(self._clock.monotonic() - began)
            return call_in


class BoundedChannel(DataChannel):
    """An agent's DataChannel, whose visits wait for one of the swarm's lines, and hold none while they pause."""

    lines: asyncio.Semaphore

    async def _visit_one_of(self, handlers: Sequence[Site]) -> int | HandlerFull:
        async with self.lines:
            return await super()._visit_one_of(handlers)


class SharedUpdater(Updater):
    """An agent's updates, one agent at a time; what was downloaded and checked is not kept, for nobody uses it."""

    updating: asyncio.Lock

    async def run(self, settings: UpdateSettings, wanted: UpdateTask) -> Outcome:
        async with self.updating:
            try:
                return await super().run(settings, wanted)
            finally:
                shutil.rmtree(self._state.path / "content", ignore_errors=True)


class MemberAddresses(HandlerAddresses):
    """The addresses of the handlers in one agent's list; names are resolved once for all agents."""

    def __init__(self, state: MemberState, version: str, shared: Shared) -> None:
        super().__init__(state, shared.clock, version)
        self._looked_up = shared.addresses


class Member:
    """One agent."""

    communication = BoundedCommunication

    def __init__(self, config: AgentConfig, state: MemberState, spool: MemberSpool, shared: Shared) -> None:
        self.config = config
        self.state = state
        self.spool = spool
        self._shared = shared
        self._finder = RelayFinder(config.version, shared.entropy, shared.answers.seat)
        self.last: CallIn | None = None
        self.ran_at: dict[str, float] = {}
        clock, entropy = shared.clock, shared.entropy
        self.nonces = NonceMemory(state)
        self.enforcer = Enforcer(config, state, ())
        self.caller = Caller(self._communication(), self.enforcer, clock, entropy, self._called_in)
        updater = SharedUpdater(state, shared.tls, shared.server_key)
        updater.updating = shared.updating
        self.runner = TaskRunner(state, self.enforcer, updater, clock, entropy, _nothing)
        self.channel = BoundedChannel(config.version, state, self._connector(), shared.server_key, clock, entropy)
        self.channel.lines = shared.lines
        self.run_now = RunNow(self.channel, self.runner, state.folder(""), clock, entropy)
        self.door = self._door()

    def _connector(self) -> Connector:
        tls = self._shared.tls
        return connector_of(self.config, self.state, tls, self._finder, lambda: self.enforcer.settings)

    def _communication(self) -> BoundedCommunication:
        shared = self._shared
        communication = self.communication(
            self.state,
            self.spool,
            self._connector(),
            self.enforcer,
            shared.credentials,
            self._describe,
            shared.clock,
            shared.entropy,
            draw_once=self.config.draw_handlers_once,
        )
        communication.lines, communication.took = shared.lines, shared.took
        return communication

    def _door(self) -> FrontDoor:
        shared, state, key = self._shared, self.state, self._shared.server_key
        nonces = self.nonces
        callers = MemberAddresses(state, self.config.version, shared).read
        channel = DataChannelDoor(state, key, nonces, callers, self.channel.told, shared.clock)
        return FrontDoor(
            self.config,
            state,
            self.enforcer,
            (channel,),
            shared.page,
            key,
            nonces,
            callers,
            self.caller.woken,
            shared.clock,
        )

    def loops(self, first_call_within_seconds: float) -> Iterator[Coroutine[Any, Any, None]]:
        """What runs for as long as the agent does; enforcement and scheduled tasks are the swarm's to begin."""
        yield self.caller.loop(first_call_within_seconds)
        yield self.channel.run()
        yield self.run_now.loop()

    def _describe(self) -> tuple[Identity, dict[str, str]]:
        config, state = self.config, self.state
        identity = Identity(
            guid=state.registration.guid,
            public_key=signing.public_text(state.key),
            computer_name=config.computer_name,
            fqdn=config.fqdn,
            version=config.version,
            platform=config.platform,
            enrolment_key=self._shared.credentials.enrolment_key,
            enrolled=state.registration.enrolled,
        )
        described = properties.computer_properties(config, self._shared.machine())
        described |= properties.product_properties(state.installed) | state.custom_properties
        described["WakeupPort"] = str(self.enforcer.settings.wakeup_port)
        return identity, described

    def _called_in(self, call_in: CallIn | None) -> None:
        self.last = call_in or self.last
        if call_in is not None and call_in.channel_waits:
            self.channel.after_callin()
        self._shared.done(self, call_in)


def _nothing() -> None:
    """The status of a swarm is written by itself."""
