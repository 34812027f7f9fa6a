"""How queued wake-ups and pushes are carried out: claimed one by one, each host called as `delivery` decides.

What could not be done goes to the Server Task Log by way of the queue, and to this node's `server.log` (domain §6.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from nacl.signing import SigningKey

from miniepo import log
from miniepo.clock import Clock, Entropy
from miniepo.errors import StoreError, TransferError, UnreachableError
from miniepo.handler import agent_call, delivery
from miniepo.handler.delivery import Again, Call, Delivery, Done, Patience, Words, hint_of, names_of, wakeup_port
from miniepo.handler.exchange import Identity
from miniepo.handler.push import SSH_PORT, Pusher
from miniepo.protocol import codec, messages, segment, signing
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import join_host_port
from miniepo.server.push_plan import is_netbios, push_target
from miniepo.store.notices import Notices
from miniepo.store.store import Store
from miniepo.store.systems import System
from miniepo.store.work import PUSH, SUPERAGENT, Work

__all__ = ["WakeupWorker", "names_of", "seal_superagent", "seal_wakeup", "wakeup_port"]

_PARALLEL = 32
_PAUSE_AFTER_ERROR_SECONDS = 1.0
_WAKEUP_PATH = "/wakeup"
_logger = log.logger("handler.wakeup")
_server_log = log.server_log("NAIMSRV")

Knock = Callable[[Endpoint], Awaitable[delivery.Event]]


class WakeupWorker:
    """Empties the work queue as far as it is this handler's, many jobs at a time."""

    def __init__(
        self,
        store: Store,
        notices: Notices,
        identity: Identity,
        clock: Clock,
        entropy: Entropy,
        poll_seconds: float,
        pusher: Pusher,
    ) -> None:
        self._store = store
        self._notices = notices
        self._identity = identity
        self._clock = clock
        self._entropy = entropy
        self._poll_seconds = poll_seconds
        self._pusher = pusher

    async def run(self) -> None:
        """Work until cancelled."""
        slots = asyncio.Semaphore(_PARALLEL)
        async with asyncio.TaskGroup() as jobs:
            while True:
                await slots.acquire()
                work = await self._next()
                jobs.create_task(self._execute(work)).add_done_callback(lambda _: slots.release())

    async def _next(self) -> Work:
        while True:
            try:
                work = await self._store.work.claim(self._identity.id)
                if work is not None:
                    return work
            except StoreError as error:
                _logger.warning("cannot look for work: %s", error)
                await asyncio.sleep(_PAUSE_AFTER_ERROR_SECONDS)
            await self._notices.wait(self._poll_seconds)

    async def _execute(self, work: Work) -> None:
        try:
            await self._record(work, await self._attempt(work))
        except StoreError as error:
            _logger.warning("%s %s: its end could not be recorded: %s", work.kind, work.wakeup_id, error)
        except Exception as error:  # one job that breaks must end neither the others nor the worker
            _logger.exception("%s %s broke", work.kind, work.wakeup_id)
            await self._give_up(work, error)

    async def _give_up(self, work: Work, error: Exception) -> None:
        """Record a job as failed that would break again."""
        message = f"{self._identity.name} broke at it: {type(error).__name__}; its log has the traceback"
        try:
            await self._record(work, Done("failed", message))
        except StoreError as refused:
            _logger.warning("%s %s: its end could not be recorded: %s", work.kind, work.wakeup_id, refused)

    async def _attempt(self, work: Work) -> Done | Again:
        system = await self._store.systems.by_id(work.target)
        if system is None or (system.guid is None and work.kind != PUSH):
            return Done("failed", "the system has no agent")
        if work.kind == PUSH and not is_netbios(push_target(system)):
            return Done("failed", f"{push_target(system)} is no NetBIOS name: no password is sent there")
        knock = await self._knock(system, work)
        step = self._delivery(system, work)
        command = step.start()
        while isinstance(command, Call):
            command = step.receive(await knock(command.endpoint))
        return command

    async def _record(self, work: Work, command: Done | Again) -> None:
        """Record the outcome, or put the job back for another attempt."""
        _logger.info("%s %s: %s", work.kind, work.wakeup_id, command.message)
        if isinstance(command, Again):
            _server_log.warning("%s", command.message)
            await self._store.work.postpone(work.id, command.seconds, command.message)
            return
        if command.outcome != "completed":
            _server_log.error("%s", command.message)
        await self._store.work.finish(work.id, command.outcome, command.message)

    def _delivery(self, system: System, work: Work) -> Delivery:
        patience = Patience(
            work.attempts, int(work.options.get("attempts", 1)), float(work.options.get("retry_seconds", 30))
        )
        doer, hint = self._identity.name, hint_of(system)
        if work.kind == PUSH:
            words = Words(doer, "installed the agent on", "install an agent on", system.name, hint)
            return Delivery((push_target(system),), SSH_PORT, words, patience)
        words = Words(doer, "woke", "wake", system.name, hint)
        return Delivery(names_of(system), wakeup_port(system), words, patience)

    async def _knock(self, system: System, work: Work) -> Knock:
        if work.kind == PUSH:
            return await self._pusher.prepare(system, work)
        path, seal = (segment.PATH, seal_superagent) if work.kind == SUPERAGENT else (_WAKEUP_PATH, seal_wakeup)
        identity = self._identity
        body = seal(identity.key, identity.name, system.guid or "", work, self._clock, self._entropy)
        return lambda endpoint: _post(endpoint, path, body)


def seal_wakeup(key: SigningKey, sender: str, guid: str, work: Work, clock: Clock, entropy: Entropy) -> bytes:
    """The envelope that an agent accepts once, for 300 seconds."""
    message = messages.Wakeup(
        guid=guid,
        wakeup_id=work.wakeup_id,
        full_props=bool(work.options.get("full_props")),
        random_seconds=float(work.options.get("random_seconds", 0)),
    )
    return signing.seal(
        codec.encode(message), key, sender=sender, recipient=guid, issued_at=clock.now(), nonce=entropy.nonce()
    )


def seal_superagent(key: SigningKey, sender: str, guid: str, work: Work, clock: Clock, entropy: Entropy) -> bytes:
    """The order to a SuperAgent, with the datagram for its segment inside."""
    full_props, random_seconds = bool(work.options.get("full_props")), float(work.options.get("random_seconds", 0))
    shouted = segment.SegmentWakeup(
        wakeup_id=work.wakeup_id,
        segment=str(work.options["segment"]),
        full_props=full_props,
        random_seconds=random_seconds,
    )
    now = clock.now()
    order = segment.SuperAgentWakeup(
        guid=guid,
        wakeup_id=work.wakeup_id,
        datagram=segment.seal_for_segment(shouted, key, sender=sender, issued_at=now, nonce=entropy.nonce()),
        full_props=full_props,
        random_seconds=random_seconds,
    )
    return segment.seal_for_superagent(order, key, sender=sender, issued_at=now, nonce=entropy.nonce())


async def _post(endpoint: Endpoint, path: str, body: bytes) -> delivery.Event:
    """Call an agent; what it met."""
    try:
        answer = await agent_call.post(endpoint, path, body)
    except (UnreachableError, TransferError) as error:
        return delivery.Unreached(str(error))
    if answer.status == 202:
        return delivery.Accepted()
    said = answer.body.decode("utf-8", "replace").strip()[:200]
    return delivery.Refused(f"{join_host_port(endpoint.host, endpoint.port)} answered {answer.status}: {said}")
