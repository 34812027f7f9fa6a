"""The agent's end of the DataChannel: visits a handler beside the agent-server communication and serves the products.

It looks when a handler says that something waits, after each call-in (an agent behind NAT or a relay cannot be told),
and when a product says something. What cannot be delivered waits on the disk and is tried again. What came is handed
to its product once: the id is remembered before, and the message is marked before its product begins; one that was
begun and not ended when the agent stopped goes to the product's `interrupted`, one whose time is over to its `late`.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from nacl.signing import VerifyKey

from miniepo.agent.connector import Connector, Line
from miniepo.agent.datachannel_box import Box, SeenIds
from miniepo.agent.routes import WayKey
from miniepo.agent.state import StateDirectory
from miniepo.clock import Clock, Entropy
from miniepo.errors import (
    HandlerFullError,
    MessageError,
    MiniepoError,
    RefusedError,
    SignatureError,
    StaleEnvelopeError,
    TransferError,
)
from miniepo.log import logger
from miniepo.protocol import codec, datachannel_session, handler_choice, messages, signing
from miniepo.protocol.datachannel import ChannelExchange, ChannelItems, ChannelMessage, check_messages
from miniepo.protocol.datachannel_session import ChannelSession
from miniepo.protocol.handler_choice import HandlerChoice, HandlerFull, drawn
from miniepo.protocol.sitelist import Site
from miniepo.protocol.version import Behaviour

SPIPE_CHANNEL_PATH = "/spipe/datachannel"
RETRY_SECONDS = (2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Pauses before messages that no server has yet are tried again, the last one for ever."""

TRIES_TO_FETCH = 3
"""How often a visit that failed is tried again when nothing is to be said; a handler will tell, or the next call-in."""

_MOMENT_SECONDS = 0.005
_TURNS = 20
"""Where many agents share a loop, a moment may be over within one turn of it, and a product needs several to begin."""
Handle = Callable[[ChannelMessage], Awaitable[None]]
_log = logger("agent.datachannel")


@dataclass(frozen=True, slots=True)
class Product:
    """What a point product does with its messages."""

    handle: Handle
    interrupted: Handle | None
    late: Handle | None


class DataChannel:
    """The channel of one agent."""

    def __init__(
        self,
        version: str,
        state: StateDirectory,
        connector: Connector,
        server_key: VerifyKey,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._agent_has_it = Behaviour.of(version).datachannel
        self._state = state
        self._connector = connector
        self._server_key = server_key
        self._clock = clock
        self._entropy = entropy
        self._outbox, self._inbox = Box(state.folder("datachannel/outbox")), Box(state.folder("datachannel/inbox"))
        self._seen = SeenIds(state.folder("datachannel"), "seen.json")
        self._seen.add((*self._inbox.begun(), *self._inbox.oldest()), clock.now())
        self._products: dict[str, Product] = {}
        self._wanted = asyncio.Event()
        self._look = False
        self._failures = 0
        self._next_try: asyncio.TimerHandle | None = None
        self._said = asyncio.Event()
        self._work_group: asyncio.TaskGroup | None = None

    def register(
        self, product: str, handle: Handle, interrupted: Handle | None = None, late: Handle | None = None
    ) -> None:
        """Hand messages of this product to `handle`, each once; several may run at a time.

        A message whose handling was cut short by the agent's end goes to `interrupted` at the next start, one whose
        time is over before it is handed on goes to `late`; without those it is forgotten with a line in the log.
        """
        self._products[product] = Product(handle, interrupted, late)

    def send(self, message: ChannelMessage) -> None:
        """Keep a message for the server; it is on disk when this returns and goes up as soon as possible.

        Raises MessageError for one that is too big.
        """
        check_messages((message,))
        self._outbox.add(message)
        self._wanted.set()

    def told(self) -> None:
        """A handler says that something waits."""
        self._look = True
        self._wanted.set()

    def after_callin(self, waits: bool = True) -> None:
        """A call-in has succeeded, and the handler said whether something `waits`: nobody may be able to call (NAT,
        relay). What could not be said so far is tried again too: a handler answers now."""
        if waits or len(self._outbox):
            self.told()

    async def said_all(self) -> None:
        """Return when nothing of the products waits for a server any more."""
        if len(self._outbox):
            self._said = asyncio.Event()
            await self._said.wait()

    async def run(self) -> None:
        """Serve the channel until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._work_group = group
            self._resume(group)
            self._hand_out(group)
            while True:
                await self._wanted.wait()
                self._wanted.clear()
                if self._look or len(self._outbox):  # what was said during a visit went up in it
                    self._look = False
                    await self._visit_patiently()
                    self._hand_out(group)

    async def _visit_patiently(self) -> None:
        """One visit; with messages left over, or after one that failed, the next one comes by itself after a pause."""
        if self._next_try is not None:
            self._next_try.cancel()
        try:
            left = await self._visit()
        except (MiniepoError, OSError) as error:
            _log.warning("no visit to the DataChannel: %s: %s", type(error).__name__, error)
            self._failures += 1
            if len(self._outbox) or self._failures <= TRIES_TO_FETCH:
                self._try_again()
            return
        self._failures = self._failures + 1 if left else 0
        if not len(self._outbox):
            self._said.set()
        if left:
            _log.info("%d messages wait, no server has them yet", left)
            self._try_again()

    def _try_again(self) -> None:
        """Visit again after a pause, unless something else leads there sooner."""
        pause = RETRY_SECONDS[min(self._failures, len(RETRY_SECONDS)) - 1]
        self._next_try = asyncio.get_running_loop().call_later(pause, self.told)

    async def _visit(self) -> int:
        """Go through one session with the first handler that will; how many messages no server has.

        One that is full says when to come back, and the next one is asked first.
        """
        handlers = self._handlers()
        choice = HandlerChoice(handlers, self._entropy.uniform)
        todo = deque(choice.start() if handlers else ())
        while todo:
            match todo.popleft():
                case handler_choice.Pause(seconds):
                    await asyncio.sleep(seconds)
                case handler_choice.GiveUp(reason):
                    raise TransferError(reason)
                case handler_choice.Open(ordered):
                    left = await self._visit_one_of(ordered)
                    if isinstance(left, int):
                        return left
                    todo.extend(choice.receive(left))
        return 0

    async def _visit_one_of(self, handlers: Sequence[Site]) -> int | HandlerFull:
        """One session with the first that answers and sees it through; each way is gone once."""
        avoid: frozenset[WayKey] = frozenset()
        while True:
            line = await self._connector.open(handlers, avoid)
            try:
                return await self._session(line)
            except HandlerFullError as error:
                _log.info("%s: %s", line.way.label, error)
                return HandlerFull(line.handler.name, error.retry_after_seconds, math.inf)
            except (TransferError, MessageError, SignatureError, StaleEnvelopeError) as error:
                _log.warning("%s: %s; trying the next way", line.way.label, error)
                avoid |= {line.way.key}
            finally:
                await line.http.close()

    def _handlers(self) -> Sequence[Site]:
        """The handlers to visit: none before enrolment, for an old agent, or on a list older than ePO 4.5.0."""
        if not (self._agent_has_it and self._state.registration.enrolled):
            return ()
        listed = [site for site in self._state.sitelist().handlers if site.speaks_datachannel]
        return drawn(listed, self._entropy.uniform)

    async def _session(self, line: Line) -> int:
        session = ChannelSession(self._state.registration.guid, self._outbox.oldest(), self._seen, self._clock.now())
        todo = deque(session.start())
        while todo:
            match todo.popleft():
                case datachannel_session.Say(exchange):
                    filled = session.fill(exchange, self._outbox.oldest())
                    todo.extend(session.receive(await self._exchange(line, filled)))
                case datachannel_session.Keep(items):
                    self._keep(items)
                    await self._begin_at_once()
                case datachannel_session.Forget(ids):
                    self._outbox.forget(ids)
                case datachannel_session.Finish(left):
                    return left
        raise MessageError("the session stopped before its end")

    async def _begin_at_once(self) -> None:
        """Hand out what just came, and leave the products a moment: what they say at once goes up in the same visit."""
        if self._work_group is not None:
            self._hand_out(self._work_group)
            await asyncio.sleep(_MOMENT_SECONDS)
            for _ in range(_TURNS):
                await asyncio.sleep(0)

    def _keep(self, items: Sequence[ChannelMessage]) -> None:
        for item in items:
            self._inbox.add(item)
        self._seen.add(items, self._clock.now())

    async def _exchange(self, line: Line, message: ChannelExchange) -> ChannelItems:
        nonce, guid = self._entropy.nonce(), self._state.registration.guid
        sealed = signing.seal(
            codec.encode(message),
            self._state.key,
            sender=guid,
            recipient="",
            issued_at=self._clock.now(),
            nonce=nonce,
        )
        answer = await line.http.request("POST", SPIPE_CHANNEL_PATH, sealed, (("Content-Type", "application/json"),))
        envelope = signing.open_envelope(answer.expect(200).body)
        signing.verify(envelope, self._server_key, now=self._clock.now())
        if envelope.reply_to != nonce or envelope.recipient != guid:
            raise MessageError("the envelope is not the answer to this agent's message")
        items = codec.decode_to_agent(envelope.payload)
        if isinstance(items, messages.Refused):
            raise RefusedError(items.code, items.text)
        if not isinstance(items, ChannelItems):
            raise MessageError(f"{type(items).__name__} is no answer of the DataChannel")
        return items

    def _resume(self, group: asyncio.TaskGroup) -> None:
        """What was begun before the agent's last end is not begun again: its product is told instead."""
        for message in self._inbox.begun():
            product = self._products.get(message.product)
            if product is None or product.interrupted is None:
                _log.warning("message %s for %s was cut short by the agent's end", message.id, message.product)
                self._forget(message.id)
            else:
                group.create_task(self._work(product.interrupted, message))

    def _hand_out(self, group: asyncio.TaskGroup) -> None:
        for message in self._inbox.oldest():
            product = self._products.get(message.product)
            late = message.expires <= self._clock.now()
            handle = None if product is None else product.late if late else product.handle
            if handle is None:
                reason = "its time is over" if product else "no such product"
                _log.warning("message %s for %s is dropped: %s", message.id, message.product, reason)
                self._forget(message.id)
                continue
            try:
                self._inbox.begin(message.id)
            except OSError as error:
                _log.error("message %s for %s waits, the disk does not take it: %s", message.id, message.product, error)
                return
            group.create_task(self._work(handle, message))

    async def _work(self, handle: Handle, message: ChannelMessage) -> None:
        _log.info("message %s (%s) for %s", message.id, message.kind, message.product)
        try:
            await handle(message)
        except (MiniepoError, OSError) as error:
            _log.error("message %s for %s: %s: %s", message.id, message.product, type(error).__name__, error)
        except Exception:  # a product that breaks must end neither the others nor the agent
            _log.exception("%s broke at message %s", message.product, message.id)
        self._forget(message.id)

    def _forget(self, id: str) -> None:
        """Remove a message that is over; one that the disk does not let go goes with the agent's next life."""
        try:
            self._inbox.forget([id])
        except OSError as error:
            _log.error("message %s could not be removed: %s", id, error)
