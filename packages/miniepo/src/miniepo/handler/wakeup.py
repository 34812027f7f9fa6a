"""How a queued wake-up reaches its agent: one signed POST to the wake-up port, by FQDN, NetBIOS name, then IP."""

from __future__ import annotations

import asyncio
from typing import Any

from nacl.signing import SigningKey

from miniepo import log
from miniepo.clock import Clock, Entropy
from miniepo.errors import StoreError, TransferError, UnreachableError, WorldError
from miniepo.handler.exchange import Identity
from miniepo.protocol import codec, messages, signing
from miniepo.protocol.relay_session import Endpoint
from miniepo.protocol.sitelist import join_host_port
from miniepo.store.notices import Notices
from miniepo.store.store import Store
from miniepo.store.systems import System
from miniepo.store.work import Work
from miniepo.wire.http_client import HttpConnection
from miniepo.wire.stream import connect

_PARALLEL = 32
_PAUSE_AFTER_ERROR_SECONDS = 1.0
_logger = log.logger("handler.wakeup")


class WakeupWorker:
    """Empties the work queue as far as it is this handler's, many wake-ups at a time."""

    def __init__(
        self, store: Store, notices: Notices, identity: Identity, clock: Clock, entropy: Entropy, poll_seconds: float
    ) -> None:
        self._store = store
        self._notices = notices
        self._identity = identity
        self._clock = clock
        self._entropy = entropy
        self._poll_seconds = poll_seconds

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
            await self._finish(work, *await self._attempt(work))
        except StoreError as error:
            _logger.warning("wake-up %s: its end could not be recorded: %s", work.wakeup_id, error)

    async def _attempt(self, work: Work) -> tuple[bool, str]:
        system = await self._store.systems.by_id(work.target)
        if system is None or system.guid is None:
            return False, "the system has no agent"
        try:
            return True, await self._deliver(system, work)
        except WorldError as error:
            return False, f"{error}{_behind_relay(system)}"

    async def _finish(self, work: Work, delivered: bool, message: str) -> None:
        """Record the outcome, or put the job back for another attempt."""
        _logger.info("wake-up %s: %s", work.wakeup_id, message)
        if not delivered and work.attempts < int(work.options.get("attempts", 1)):
            await self._store.work.postpone(work.id, float(work.options.get("retry_seconds", 30)), message)
        else:
            await self._store.work.finish(work.id, "completed" if delivered else "failed", message)

    async def _deliver(self, system: System, work: Work) -> str:
        """Try each name of the agent; what was done, or UnreachableError with what became of each."""
        body = self._sealed(system, work)
        tried: list[str] = []
        for host in names_of(system):
            endpoint = Endpoint(host, wakeup_port(system))
            try:
                await _post(endpoint, body)
            except (UnreachableError, TransferError) as error:
                tried.append(str(error))
                continue
            return f"{self._identity.name} woke {system.name} at {join_host_port(host, endpoint.port)}"
        raise UnreachableError(
            f"{self._identity.name} could not wake {system.name}: {'; '.join(tried) or 'no address'}"
        )

    def _sealed(self, system: System, work: Work) -> bytes:
        assert system.guid is not None, "only an enrolled agent is woken"
        return seal_wakeup(self._identity.key, self._identity.name, system.guid, work, self._clock, self._entropy)


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


def names_of(system: System) -> tuple[str, ...]:
    """The names to try, in the order of the source (domain §6.1): FQDN, NetBIOS, IP; those that the database has."""
    names: dict[str, Any] = dict.fromkeys((system.fqdn, system.computer_name, system.address))
    return tuple(name for name in names if name)


def wakeup_port(system: System) -> int:
    """The agent's wake-up port as it reports it, else 8081."""
    text = system.properties.get("WakeupPort", "")
    return int(text) if text.isdigit() and 0 < int(text) < 65536 else 8081


def _behind_relay(system: System) -> str:
    """Server-initiated calls do not reach agents behind a relay (domain §5, source S1): say so where it explains."""
    if not system.via_relay:
        return ""
    return f" (it last called in through relay {system.via_relay}; it will be reached at its own ASCI)"


async def _post(endpoint: Endpoint, body: bytes) -> None:
    stream = await connect(endpoint)
    connection = HttpConnection(stream, join_host_port(endpoint.host, endpoint.port), idle_seconds=5)
    try:
        answer = await connection.request("POST", "/wakeup", body, [("Content-Type", "application/json")])
        answer.expect(202)
    finally:
        await connection.close()
