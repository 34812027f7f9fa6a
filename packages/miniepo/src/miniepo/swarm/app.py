"""A swarm from its configuration to its end: makes the agents, spreads them over time, and keeps the one port open."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from miniepo.agent.alarm import Alarm
from miniepo.agent.communication import CallIn, Credentials
from miniepo.agent.ctl import SOCKET
from miniepo.agent.departure import live
from miniepo.agent.ear import Ear
from miniepo.agent.folder import replace_file
from miniepo.agent.front_door import FrontDoor
from miniepo.agent.listener import Listener
from miniepo.agent.settings import first_call_seconds
from miniepo.agent.state import public_json
from miniepo.agent.tasks import Outcome, choose_due
from miniepo.clock import SystemClock, SystemEntropy
from miniepo.config import AgentConfig, SwarmConfig, load, read_secret
from miniepo.log import logger
from miniepo.protocol import signing
from miniepo.protocol.messages import Wakeup
from miniepo.protocol.version import AGENT_BROADCAST_PORT
from miniepo.swarm.door import SwarmDoor
from miniepo.swarm.ledger import Ledger
from miniepo.swarm.life import run_all
from miniepo.swarm.member import Member, Shared
from miniepo.swarm.names import member_configs, spread_seconds
from miniepo.swarm.orders import SwarmOrders, describe
from miniepo.swarm.state import Alike, MemberSpool, MemberState
from miniepo.wire.answer_port import AnswerPort
from miniepo.wire.control import ControlSocket
from miniepo.wire.resumption import Resuming
from miniepo.wire.tls import client_context

LEDGER = "swarm.db"
MEMBERS = "members"
STATUS = "status.json"
_COMMIT_SECONDS = 0.05
_COMMIT_AGAIN_SECONDS = 1.0
_STATUS_SECONDS = 2.0
_LOOK_SECONDS = 1.0
_QUIET = (
    "agent.caller",
    "agent.communication",
    "agent.connector",
    "agent.datachannel",
    "agent.enforcement",
    "agent.relay_finder",
)

_log = logger("swarm.app")


class ByGuid(Mapping[str, FrontDoor]):
    """The agents' front doors by the GUIDs that the agents have now."""

    def __init__(self, members: list[Member]) -> None:
        self._members = members
        self._known: dict[str, Member] = {}

    def __getitem__(self, guid: str) -> FrontDoor:
        member = self._known.get(guid)
        if member is None or member.state.registration.guid != guid:
            self._known = {each.state.registration.guid: each for each in self._members}
            member = self._known[guid]
        return member.door

    def __iter__(self) -> Iterator[str]:
        return (each.state.registration.guid for each in self._members)

    def __len__(self) -> int:
        return len(self._members)


class Swarm:
    """Many agents on one loop."""

    member = Member

    def __init__(self, settings: SwarmConfig, config: AgentConfig) -> None:
        self._config = config
        self._parallel = settings.parallel
        self._count = settings.count
        self._path = Path(config.state_dir)
        self._members: list[Member] = []
        self._calls = 0
        self._failed = 0
        self._enforced_at: dict[str, float] = {}
        self._running: set[asyncio.Task[Outcome]] = set()
        self._clock = SystemClock()
        self._entropy = SystemEntropy()

    async def run(self) -> None:
        """Run until cancelled."""
        self._path.mkdir(mode=0o711, parents=True, exist_ok=True)
        async with contextlib.AsyncExitStack() as cleanup:
            ledger = Ledger(self._path / LEDGER, self._soon)
            self._ledger = ledger
            cleanup.callback(ledger.close)
            shared = self._shared()
            self._make(shared)
            door = SwarmDoor(ByGuid(self._members), shared.page, self._config.computer_name, self._config.version)
            listener = Listener(door.handle, self._config.listen)
            cleanup.push_async_callback(listener.close)
            await listener.follow(self._config.wakeup_port)
            orders = SwarmOrders(self._members, shared.took, self._clock, self._entropy, ledger.commit)
            control = ControlSocket(self._path / SOCKET, orders.answer)
            await control.start()
            cleanup.push_async_callback(control.close)
            _log.info("%d agents, %d communications at once", len(self._members), self._parallel)
            within = spread_seconds(first_call_seconds(self._config), self._config.asci_seconds, self._count)
            loops = [self._ear(shared).run(), self._tell(), self._look_after(listener)]
            loops += [loop for member in self._members for loop in member.loops(within)]
            await run_all(loops)

    def _ear(self, shared: Shared) -> Ear:
        """One ear for all: the broadcast of a SuperAgent is for every agent of the segment."""
        first = self._members[0]
        alarm = Alarm()
        alarm.connect(self._woken_by_broadcast)
        return Ear(first.state, shared.server_key, first.nonces, self._clock, alarm, self._heeds_broadcasts)

    def _heeds_broadcasts(self) -> bool:
        return any(member.enforcer.settings.accept_broadcasts for member in self._members)

    def _woken_by_broadcast(self, call: Wakeup) -> None:
        for member in self._members:
            if member.enforcer.settings.accept_broadcasts:
                member.caller.woken(msgspec.structs.replace(call, guid=member.state.registration.guid))

    def _shared(self) -> Shared:
        config = self._config
        server_key = signing.load_verify_key(config.server_public_key)
        shared = Shared(
            path=self._path,
            credentials=Credentials(read_secret(config.enrolment_key_file), server_key),
            tls=Resuming(client_context(config.ca, config.certificate, config.key)),
            answers=AnswerPort(AGENT_BROADCAST_PORT),
            clock=self._clock,
            entropy=self._entropy,
            lines=asyncio.Semaphore(self._parallel),
            updating=asyncio.Lock(),
            done=self._called_in,
        )
        logging.getLogger("swarm").addHandler(shared.page)
        return shared

    def _make(self, shared: Shared) -> None:
        alike = Alike()
        first = Path(self._config.sitelist)
        for config in member_configs(self._config, self._count):
            name = config.computer_name
            state = MemberState(name, self._path / MEMBERS / name, first, self._ledger, alike, self._entropy)
            self._members.append(self.member(config, state, MemberSpool(name, self._ledger), shared))
        self._ledger.commit()

    def _soon(self) -> None:
        asyncio.get_running_loop().call_later(_COMMIT_SECONDS, self._commit)

    def _commit(self) -> None:
        try:
            self._ledger.commit()
        except OSError as error:
            _log.error("%s; tried again in %g s", error.strerror, _COMMIT_AGAIN_SECONDS)
            asyncio.get_running_loop().call_later(_COMMIT_AGAIN_SECONDS, self._commit)

    def _called_in(self, member: Member, call_in: CallIn | None) -> None:
        self._calls += call_in is not None
        self._failed += call_in is None

    async def leave(self) -> None:
        """Say what must be said before the end."""
        left = [member for member in self._members if member.run_now.leave()]
        await asyncio.gather(*(member.channel.said_all() for member in left))

    async def _tell(self) -> None:
        """Write the status, and a line when there is news."""
        said = (0, 0)
        while True:
            self._write_status()
            await asyncio.sleep(_STATUS_SECONDS)
            if (self._calls, self._failed) != said:
                said = (self._calls, self._failed)
                _log.info("%d call-ins since the start, %d failed", *said)

    def _write_status(self) -> None:
        status = describe(self._members) | {"calls": self._calls, "failed_calls": self._failed}
        try:
            replace_file(self._path / STATUS, public_json(status), 0o644)
        except OSError as error:
            _log.error("%s: %s", STATUS, error)

    async def _look_after(self, listener: Listener) -> None:
        """Enforce the policies and run the tasks that are due, of all agents in turn; the first one's policy decides
        where the one wake-up port is."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await listener.follow(self._members[0].enforcer.settings.wakeup_port)
            for member in self._members:
                self._enforce_if_due(member)
                self._run_if_due(member)

    def _enforce_if_due(self, member: Member) -> None:
        now = self._clock.monotonic()
        name = member.config.computer_name
        if now >= self._enforced_at.setdefault(name, now) + member.enforcer.settings.enforcement_seconds:
            self._enforced_at[name] = now
            member.enforcer.enforce()

    def _run_if_due(self, member: Member) -> None:
        tasks = member.state.tasks.tasks
        if not tasks or member.runner.busy:
            return
        task = choose_due(tasks, member.ran_at, self._clock.monotonic())
        if task is not None:
            member.ran_at[task.id] = self._clock.monotonic()
            running = asyncio.create_task(member.runner.run(task))
            self._running.add(running)
            running.add_done_callback(self._running.discard)


def main(settings: SwarmConfig) -> int:
    """Run the swarm until it is told to stop; what every agent would say of itself is left out of the log."""
    for name in _QUIET:
        logger(name).setLevel(logging.ERROR)
    swarm = Swarm(settings, load(settings.agent, AgentConfig))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(live(swarm.run(), swarm.leave))
    return 0
