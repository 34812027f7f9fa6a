"""Carries out one agent-server communication: opens a line, drives the session, does what the session commands."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from nacl.signing import VerifyKey

from miniepo.agent.connector import Connector, Line
from miniepo.agent.enforcement import Enforcer
from miniepo.agent.routes import WayKey
from miniepo.agent.spool import Spool
from miniepo.agent.state import Routing, StateDirectory
from miniepo.clock import Clock, Entropy
from miniepo.errors import HandlerFullError, MessageError, SignatureError, StaleEnvelopeError, TransferError
from miniepo.log import logger
from miniepo.protocol import agent_session, codec, handler_choice, signing, transcript
from miniepo.protocol.agent_session import AgentSession, EnforcementDone, Identity, Occasion, Outbox
from miniepo.protocol.handler_choice import HandlerChoice, HandlerFull, drawn, drawn_once
from miniepo.protocol.messages import FromAgent, Package, ToAgent
from miniepo.protocol.sitelist import Site

SPIPE_PATH = "/spipe/pkg"
EVENTS_PER_CALL = 1000

_log = logger("agent.communication")


@dataclass(frozen=True, slots=True)
class CallIn:
    """A completed communication: when, with which handler, at which address, through which relay, what was said."""

    at: float
    handler: str
    address: str
    via_relay: str | None
    reason: str
    wakeup_id: str | None
    session: tuple[str, ...] = ()
    connections: int = 1
    channel_waits: bool = True


@dataclass(frozen=True, slots=True)
class Credentials:
    """What seals and opens envelopes: the enrolment secret and the server's public key."""

    enrolment_key: str
    server_key: VerifyKey


class Communication:
    """Agent-server communications, one at a time."""

    def __init__(
        self,
        state: StateDirectory,
        spool: Spool,
        connector: Connector,
        enforcer: Enforcer,
        credentials: Credentials,
        describe: Callable[[], tuple[Identity, dict[str, str]]],
        clock: Clock,
        entropy: Entropy,
        *,
        draw_once: bool = False,
    ) -> None:
        self._draw_once = draw_once
        self._state = state
        self._spool = spool
        self._connector = connector
        self._enforcer = enforcer
        self._credentials = credentials
        self._describe = describe
        self._clock = clock
        self._entropy = entropy
        self._said: list[str] = []
        self._channel_waits = True

    def has_urgent_events(self) -> bool:
        """Whether an event of priority still waits."""
        return bool(self._spool.urgent(1, self._enforcer.settings.event_priority))

    async def run(self, occasion: Occasion) -> CallIn:
        """Communicate with the first handler that will; raises WorldError when none does."""
        if occasion.anew:
            self._state.routing = Routing()
        choice = HandlerChoice(self._ordered(), self._entropy.uniform)
        todo = deque(choice.start())
        while True:
            command = todo.popleft()
            match command:
                case handler_choice.Pause():
                    await asyncio.sleep(command.seconds)
                case handler_choice.GiveUp():
                    raise TransferError(command.reason)
                case handler_choice.Open():
                    done = await self._with_one_of(command.handlers, occasion)
                    if isinstance(done, CallIn):
                        return done
                    todo.extend(choice.receive(done))

    def _ordered(self) -> tuple[Site, ...]:
        handlers = self._state.sitelist().handlers
        if self._draw_once:
            return drawn_once(handlers, self._state.registration.guid)
        return drawn(handlers, self._entropy.uniform)

    async def _with_one_of(self, handlers: Sequence[Site], occasion: Occasion) -> CallIn | HandlerFull:
        avoid: frozenset[WayKey] = frozenset()

        def seconds_left() -> float:
            return occasion.next_asci - self._clock.monotonic()

        while True:
            line = await self._connector.open(handlers, avoid, seconds_left)
            try:
                return await self._communicate(line, occasion)
            except HandlerFullError as error:
                _log.warning("%s: %s", line.way.label, error)
                return HandlerFull(line.handler.name, error.retry_after_seconds, seconds_left())
            except (TransferError, MessageError, SignatureError, StaleEnvelopeError) as error:
                _log.warning("%s: %s; trying the next way", line.way.label, error)
                avoid |= {line.way.key}
            finally:
                await line.http.close()

    async def _communicate(self, line: Line, occasion: Occasion) -> CallIn:
        relay = line.way.relay
        occasion = replace(occasion, via_relay=relay.computer_name if relay else None)
        self._said, self._channel_waits = [], True
        try:
            error = await self._session(line, occasion)
            if error and not self._state.registration.enrolled:
                error = await self._session(line, occasion)
        finally:
            _log.info("session with %s: %s", line.way.label, ", ".join(self._said))
        if error:
            raise TransferError(f"the handler refused: {error}")
        _log.info("called in to %s (%s)", line.way.label, occasion.reason)
        return CallIn(
            at=self._clock.now(),
            handler=line.handler.name,
            address=line.http.stream.peer_address,
            via_relay=occasion.via_relay,
            reason=occasion.reason,
            wakeup_id=occasion.wakeup_id,
            session=tuple(self._said),
            connections=line.connections,
            channel_waits=self._channel_waits,
        )

    async def _session(self, line: Line, occasion: Occasion) -> str:
        """Drive one session to its end; the error it ended with, or ""."""
        session = self._new_session(occasion)
        todo = deque(session.start())
        while todo:
            command = todo.popleft()
            if isinstance(command, agent_session.Finish):
                return command.error
            event = await self._do(command, line)
            if event is not None:
                todo.extend(session.receive(event))
        raise MessageError("the session stopped before its end")

    def _new_session(self, occasion: Occasion) -> AgentSession:
        identity, properties = self._describe()
        identity = replace(identity, sequence=self._state.next_sequence())
        sent = self._state.sent_properties
        return AgentSession(identity, self._enforcer.versions, properties, sent, self._outbox(occasion), occasion)

    def _outbox(self, occasion: Occasion) -> Outbox:
        """What is delivered on this occasion: only events of priority if one of them is the reason."""
        settings = self._enforcer.settings
        if occasion.reason == "event":
            return Outbox(self._spool.urgent(settings.events_per_upload, settings.event_priority))
        return Outbox(self._spool.oldest(EVENTS_PER_CALL), self._state.statuses)

    async def _do(self, command: agent_session.Command, line: Line) -> ToAgent | EnforcementDone | None:
        match command:
            case agent_session.Send():
                return await self._exchange(line, command.message)
            case agent_session.Enforce():
                problems = self._enforcer.take(command.package)
                return EnforcementDone(self._enforcer.versions, self._describe()[1], problems)
            case agent_session.TakeIdentity():
                self._state.register(command.guid, enrolled=True)
                _log.info("enrolled as %s", command.guid)
            case agent_session.MakeIdentity():
                self._state.forget_identity()
                _log.warning("the server asks for a new GUID; it is %s", self._state.registration.guid)
            case agent_session.RememberProperties():
                self._state.sent_properties = dict(command.properties)
            case agent_session.ForgetEvents():
                self._spool.forget(command.keys)
            case agent_session.ForgetStatus():
                self._state.statuses = tuple(each for each in self._state.statuses if each != command.status)
        return None

    async def _exchange(self, line: Line, message: FromAgent) -> ToAgent:
        nonce = self._entropy.nonce()
        guid = self._state.registration.guid
        sealed = signing.seal(
            codec.encode(message),
            self._state.key,
            sender=guid,
            recipient="",
            issued_at=self._clock.now(),
            nonce=nonce,
        )
        self._said.append(transcript.name_of(message))
        if line.packages and self._enforcer.settings.connection_per_package:
            await self._connector.renew(line)
        line.packages += 1
        answer = await line.http.request("POST", SPIPE_PATH, sealed, (("Content-Type", "application/json"),))
        envelope = signing.open_envelope(answer.expect(200).body)
        signing.verify(envelope, self._credentials.server_key, now=self._clock.now())
        if envelope.reply_to != nonce or envelope.recipient != guid:
            raise MessageError("the envelope is not the answer to this agent's message")
        said = codec.decode_to_agent(envelope.payload)
        self._said.append(transcript.name_of(said))
        if isinstance(said, Package):
            self._channel_waits = said.channel_waits is not False
        return said
