"""The server's end of the DataChannel: extensions queue messages for their products and get what those say.

A message of an agent comes at least once and is handed to its extension once: its id is remembered when the extension
is through with what came with it. A server that is killed in between, that has no database then, or whose extension
raises an error hands that over again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import Any
from weakref import WeakValueDictionary

from miniepo import log
from miniepo.clock import Entropy
from miniepo.config import ServerChannel
from miniepo.errors import DatabaseUnavailableError, MessageError, MiniepoError, StoreError, UnstorableError
from miniepo.protocol.datachannel import AGENT_PRODUCT, ChannelMessage, check_messages, check_payload
from miniepo.protocol.datachannel_forward import Forwarded, Received
from miniepo.store.store import Store

Handle = Callable[[str, Sequence[ChannelMessage]], Awaitable[None]]
_EXPIRE_SECONDS = 5.0
_FORGET_EVERY = 60
_logger = log.logger("server.datachannel")


class DataChannelServer:
    """What extensions of the server work with."""

    def __init__(self, store: Store, settings: ServerChannel, entropy: Entropy) -> None:
        self._store = store
        self._settings = settings
        self._entropy = entropy
        self._extensions: dict[str, Handle] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.register(AGENT_PRODUCT, _heard)

    def register(self, product: str, handle: Handle) -> None:
        """Hand what an agent says for this product to `handle`, with its GUID; what it says at a time about one
        correlation goes together.

        If that raises an error each message is handed over alone, unless the database is away. A message whose handling
        raises an error then is not accepted: the agent keeps it and says it again.
        """
        self._extensions[product] = handle

    async def send(
        self,
        targets: Sequence[int],
        product: str,
        kind: str,
        correlation: str,
        payload: dict[str, Any],
        expires_seconds: float,
    ) -> str:
        """Queue a message for these systems (EPOLeafNode.AutoID); the batch's uid. Raises MessageError, StoreError.

        `store.datachannel.batch(uid)` tells how far it got.
        """
        check_payload(payload)
        batch = self._entropy.guid()
        async with self._store.transaction() as store:
            await store.datachannel.add(targets, batch, product, kind, correlation, payload, expires_seconds)
            await store.datachannel.announce()
        return batch

    async def withdraw(self, batch: str, message: str) -> None:
        """Let nobody have what is left of a batch. Raises StoreError."""
        await self._store.datachannel.withdraw(batch, message)

    async def take(self, forwarded: Forwarded) -> Received:
        """Hand over what a handler passes on; what was received now or before. Raises StoreError.

        What can never be stored is dropped, with a line in the log, and counts as received: the agent says no more of
        it.
        """
        lock = self._locks.setdefault(forwarded.guid, asyncio.Lock())
        async with lock:
            sound = [message for message in forwarded.messages if _is_sound(forwarded.guid, message)]
            accepted = {message.id for message in forwarded.messages} - {message.id for message in sound}
            accepted |= await self._store.datachannel.known(forwarded.guid, [message.id for message in sound])
            fresh: dict[str, ChannelMessage] = {}
            for message in sound:
                if message.id not in accepted:
                    fresh.setdefault(message.id, message)
            for (product, _), messages in groupby(fresh.values(), key=_matter):
                accepted |= await self._handled(forwarded, product, tuple(messages))
        return Received(accepted=tuple(message.id for message in forwarded.messages if message.id in accepted))

    async def _handled(self, forwarded: Forwarded, product: str, messages: Sequence[ChannelMessage]) -> set[str]:
        """The ids of those that the product's extension has taken and the database remembers, or that were dropped."""
        guid, handle = forwarded.guid, self._extensions.get(product)
        if handle is None:
            _logger.warning("%s: no extension for %s, %d messages are dropped", guid, product, len(messages))
        else:
            try:
                await handle(guid, messages)
            except DatabaseUnavailableError as error:
                _logger.warning("%s: %s did not take %d messages: %s", guid, product, len(messages), error)
                return set()
            except Exception as error:  # what breaks its extension must not keep the others from the server
                if len(messages) > 1:
                    return await self._handled_alone(forwarded, product, messages)
                _not_taken(guid, messages[0], error)
                return set()
        return await self._remembered(forwarded, messages)

    async def _handled_alone(self, forwarded: Forwarded, product: str, messages: Sequence[ChannelMessage]) -> set[str]:
        accepted = set()
        for message in messages:
            accepted |= await self._handled(forwarded, product, (message,))
        return accepted

    async def _remembered(self, forwarded: Forwarded, messages: Sequence[ChannelMessage]) -> set[str]:
        """Raises StoreError."""
        try:
            await self._store.datachannel.receive(forwarded.guid, messages, forwarded.handler)
        except UnstorableError as error:
            if len(messages) == 1:
                _dropped(forwarded.guid, messages[0], error)
            else:
                for message in messages:
                    await self._remembered(forwarded, (message,))
        return {message.id for message in messages}

    async def keep_house(self) -> None:
        """Finish what has expired, and forget what is old, until cancelled."""
        rounds = 0
        while True:
            try:
                await self._store.datachannel.expire()
                if rounds % _FORGET_EVERY == 0:
                    kept = self._settings
                    await self._store.datachannel.forget_old(kept.keep_finished_seconds, kept.keep_received_seconds)
            except StoreError as error:
                _logger.warning("the DataChannel's queue could not be tidied: %s", error)
            rounds += 1
            await asyncio.sleep(_EXPIRE_SECONDS)


def _matter(message: ChannelMessage) -> tuple[str, str]:
    return message.product, message.correlation


def _is_sound(guid: str, message: ChannelMessage) -> bool:
    """Whether a message is one that an agent may say."""
    try:
        check_messages((message,))
    except MessageError as error:
        _dropped(guid, message, error)
        return False
    return True


def _dropped(guid: str, message: ChannelMessage, error: MiniepoError) -> None:
    _logger.error("%s: message %r for %r is dropped: %s", guid, message.id, message.product, error)


def _not_taken(guid: str, message: ChannelMessage, error: Exception) -> None:
    if isinstance(error, MiniepoError):
        _logger.warning("%s: %s did not take %s: %s", guid, message.product, message.id, error)
    else:
        _logger.error("%s: %s broke at %s", guid, message.product, message.id, exc_info=error)


async def _heard(guid: str, messages: Sequence[ChannelMessage]) -> None:
    """The agent's own extension: what it hears is kept among the answers anyway."""
    _logger.debug("%s says %s", guid, ", ".join(message.kind for message in messages))
