"""A handler's part in the DataChannel: takes the server's items from the queue, tells the agents, and serves visits.

The queue is polled, with LISTEN for haste. In 4.5 mode a remote handler does not poll: it looks when the server
connects and says so (source S2, domain §6.3). What a server cannot say so waits until the agent's next call-in or
visit, at which any handler gives it: that it waits no longer than that is [uncertain].
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import groupby

from miniepo import log
from miniepo.clock import Clock, Entropy
from miniepo.errors import MessageError, RefusedError, StoreError, TransferError, UnreachableError
from miniepo.handler import agent_call
from miniepo.handler.datachannel_forward import Forwarder
from miniepo.handler.datachannel_notice import (
    NOTICE_SECONDS,
    TELL_AGAIN_SECONDS,
    GiveUp,
    LeaveWaiting,
    Tell,
    Unreached,
    connect_seconds,
    decide,
    pause_seconds,
)
from miniepo.handler.exchange import Identity
from miniepo.patience import within
from miniepo.protocol import codec, datachannel, signing
from miniepo.protocol.datachannel import MESSAGES_PER_EXCHANGE, ChannelExchange, ChannelItems, ChannelWaiting
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import join_host_port
from miniepo.store import info
from miniepo.store.datachannel import NO_GRACE_ENDS, PREFERRED_GRACE_SECONDS, Claimed
from miniepo.store.notices import Notices
from miniepo.store.store import Store
from miniepo.store.systems import System
from miniepo.wire.http_client import Answer
from miniepo.wire.stream import connect

NOTICE_PATH = "/datachannel"
PARALLEL = 128
"""So many systems are told at a time; one that does not answer costs a place in it and hardly anything else."""
_PAUSE_AFTER_ERROR_SECONDS = 1.0
_logger = log.logger("handler.datachannel")


class Visits:
    """Answers agents that look what waits for them."""

    def __init__(self, store: Store, handler: str, forwarder: Forwarder | None) -> None:
        self._store = store
        self._handler = handler
        self._forwarder = forwarder

    async def exchange(self, system: System, message: ChannelExchange) -> ChannelItems:
        """Note what the agent has taken, pass on what it says, and give it what waits.

        Raises RefusedError, before anything is done, for more than an agent may say at a time.
        """
        try:
            datachannel.check_messages(message.messages)
            datachannel.check_taken(message.taken)
        except MessageError as error:
            raise RefusedError("bad-message", str(error)) from error
        if message.taken:
            await self._store.datachannel.deliver(system.id, message.taken, f"taken through {self._handler}")
        accepted: tuple[str, ...] = ()
        if self._forwarder is not None:
            accepted = await self._forwarder.forward(message.guid, message.messages)
        items = await self._store.datachannel.waiting(system.id, MESSAGES_PER_EXCHANGE)
        return ChannelItems(items=items, accepted=accepted)


Post = Callable[..., Awaitable[Answer]]


class ChannelWorker:
    """Empties the queue as far as it is this handler's: every agent that something waits for is told."""

    def __init__(
        self,
        store: Store,
        notices: Notices,
        identity: Identity,
        clock: Clock,
        entropy: Entropy,
        poll_seconds: float,
        *,
        built_in: bool,
        post: Post = agent_call.post,
        notice_seconds: float = NOTICE_SECONDS,
    ) -> None:
        self._post = post
        self._notice_seconds = notice_seconds
        self._unreached = Unreached()
        self._store = store
        self._notices = notices
        self._identity = identity
        self._clock = clock
        self._entropy = entropy
        self._poll_seconds = poll_seconds
        self._polls_always = built_in
        self._told = False

    def told(self) -> None:
        """The server says that there is work (4.5 mode)."""
        self._told = True

    async def run(self) -> None:
        """Work until cancelled. What is claimed is begun at once: a claim does not last, and others may have time."""
        working: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as jobs:
            while True:
                for system, items in await self._next(PARALLEL - len(working)):
                    job = jobs.create_task(self._execute(system, items))
                    working.add(job)
                    job.add_done_callback(working.discard)
                if len(working) == PARALLEL:
                    await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)

    async def _next(self, limit: int) -> list[tuple[System | None, list[Claimed]]]:
        """What is to be done, by the systems that it is for; None is one that is gone."""
        while True:
            try:
                claimed = by_target(await self._claim(limit))
                if claimed:
                    found = await self._store.systems.numbered([target for target, _ in claimed])
                    systems = {system.id: system for system in found}
                    return [(systems.get(target), items) for target, items in claimed]
                self._told = False
            except StoreError as error:
                _logger.warning("cannot look for items of the DataChannel: %s", error)
                await asyncio.sleep(_PAUSE_AFTER_ERROR_SECONDS)
            await self._notices.wait(self._poll_seconds)

    async def _claim(self, limit: int) -> list[Claimed]:
        """What is to be done now. In 4.5 mode nobody takes the place of a living handler, and a remote one is told."""
        server_tells = datachannel.server_tells_handlers(await self._store.info.get(info.EPO_VERSION))
        if server_tells and not (self._polls_always or self._told):
            return []
        grace = NO_GRACE_ENDS if server_tells else PREFERRED_GRACE_SECONDS
        return await self._store.datachannel.claim(self._identity.id, limit, grace)

    async def _execute(self, system: System | None, items: Sequence[Claimed]) -> None:
        target = items[0].target
        try:
            await self._work(system, items)
        except StoreError as error:
            _logger.warning("items for system %d: their end could not be recorded: %s", target, error)
        except Exception as error:  # one system that breaks this must end neither the others' items nor the worker
            _logger.exception("items for system %d broke", target)
            await self._give_up(target, items, error)

    async def _give_up(self, target: int, items: Sequence[Claimed], error: Exception) -> None:
        """Record items as failed that would break again."""
        message = f"{self._identity.name} broke at it: {type(error).__name__}; its log has the traceback"
        try:
            await self._store.datachannel.give_up(items, message)
        except StoreError as refused:
            _logger.warning("items for system %d: their end could not be recorded: %s", target, refused)

    async def _work(self, system: System | None, items: Sequence[Claimed]) -> None:
        queue = self._store.datachannel
        match decide(system):
            case GiveUp(reason):
                await queue.give_up(items, reason)
            case LeaveWaiting(reason):
                await queue.postpone(items, "waiting", reason, pause_seconds(items[0].attempts))
            case Tell(names, port):
                assert system is not None and system.guid is not None, "only an enrolled agent is told"
                rest, why = self._unreached.rest(system, self._clock.monotonic())
                if rest:
                    await queue.postpone(items, "waiting", why, rest)
                else:
                    await self._try_to_tell(system, system.guid, Tell(names, port), items)

    async def _try_to_tell(self, system: System, guid: str, tell: Tell, items: Sequence[Claimed]) -> None:
        try:
            said = await self._tell(guid, tell.names, tell.port)
        except UnreachableError as error:
            pause = self._unreached.failed(system, str(error), items[0].attempts, self._clock.monotonic())
            await self._store.datachannel.postpone(items, "unreachable", str(error), pause)
        else:
            self._unreached.reached(system)
            await self._store.datachannel.postpone(items, "told", said, TELL_AGAIN_SECONDS)

    async def _tell(self, guid: str, names: Sequence[str], port: int) -> str:
        """Call the wake-up port by each name; what was done, or UnreachableError with what became of each."""
        tried: list[str] = []
        try:
            place = await within(self._place_told(guid, names, port, tried), self._notice_seconds)
        except TimeoutError:
            place = None
            tried.append(f"not done within {self._notice_seconds:g} s")
        if place is None:
            raise UnreachableError(f"{self._identity.name} could not tell it: {'; '.join(tried)}")
        return f"{self._identity.name} told it at {place}"

    async def _place_told(self, guid: str, names: Sequence[str], port: int, tried: list[str]) -> str | None:
        """Where the notice was taken; `tried` gets what became of each name before."""
        body, opened = self._sealed(guid), partial(connect, timeout_seconds=connect_seconds(len(names)))
        for host in names:
            try:
                (await self._post(Endpoint(host, port), NOTICE_PATH, body, self._notice_seconds, opened)).expect(202)
            except (UnreachableError, TransferError) as error:
                tried.append(str(error))
            else:
                return join_host_port(host, port)
        return None

    def _sealed(self, guid: str) -> bytes:
        return signing.seal(
            codec.encode(ChannelWaiting(guid=guid)),
            self._identity.key,
            sender=self._identity.name,
            recipient=guid,
            issued_at=self._clock.now(),
            nonce=self._entropy.nonce(),
        )


def by_target(items: Sequence[Claimed]) -> list[tuple[int, list[Claimed]]]:
    """The items of each target together: an agent is told once for all that waits."""
    ordered = sorted(items, key=lambda item: (item.target, item.id))
    return [(target, list(group)) for target, group in groupby(ordered, key=lambda item: item.target)]
